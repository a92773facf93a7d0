"""Memberships: which videos of which playlists are in a user's library. They decide what a user may find.

A membership is one playlist in one library. The document in Firestore is the truth; a copy of its video
ids in the search index is the filter of every search. Firestore keeps the ids in one compressed field:
as a list, each write would change thousands of index entries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any

from shared import clock, logs
from shared.errors import NotFound, Transient
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.library import refreshes
from shared.library.changes import Change, change_from, with_change
from shared.library.checks import check_path
from shared.library.packing import pack_ids, pack_times, unpack_ids, unpack_times
from shared.library.refreshes import SETTLED, Chosen, Refresh, Refreshes, Waiting, refresh_from, refresh_path
from shared.search.index.writer import SearchIndex


@dataclass(frozen=True, slots=True)
class Membership:
    """One source in a library.

    ``kind``: playlist, channel or collection. ``channel``: what of a channel was chosen. ``added``: when each
    of the videos was put there, if that is known. ``indexed_videos``: videos that could be searched when the
    source was last indexed. ``privacy``: public, unlisted or private when the playlist was last listed; None
    if that was not known. ``listed_at``: when it was last listed to its end; ``etag``: of its first page
    then. ``described_at``: when its title and privacy were last asked for.
    """

    playlist_id: str
    updated_at: datetime
    video_ids: tuple[str, ...] = ()
    added: tuple[datetime | None, ...] = ()
    title: str = ""
    thumbnail_url: str | None = None
    indexed_at: datetime | None = None
    indexed_videos: int = 0
    job_id: str | None = None
    privacy: str | None = None
    kind: str = "playlist"
    channel: Mapping[str, Any] | None = None
    etag: str | None = None
    listed_at: datetime | None = None
    described_at: datetime | None = None
    changes: tuple[Change, ...] = ()

    @property
    def version(self) -> int:
        """Microseconds since 1970. The search index refuses an older version."""
        return _version(self.updated_at)

    @property
    def added_at(self) -> dict[str, datetime | None]:
        """Video id → when it was put there; None if that is not known. In the order of the source."""
        return dict(zip_longest(self.video_ids, self.added[: len(self.video_ids)]))


def membership_path(user_id: str, playlist_id: str) -> str:
    return f"users/{user_id}/memberships/{playlist_id}"


def membership_from(snapshot: Snapshot) -> Membership | None:
    """None when there is none."""
    data = snapshot.data or {}
    return snapshot.read_as(
        Membership,
        playlist_id=snapshot.id,
        video_ids=unpack_ids(data.get("video_ids")),
        added=unpack_times(data.get("added")),
        changes=tuple(map(change_from, data.get("changes", ()))),
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """What a job has listed of a source so far. ``videos``: ids and when each was put there.

    ``complete``: to its end. ``etag``: of the first page. ``described_at``: when the title was asked for,
    if it was.
    """

    job_id: str
    title: str
    thumbnail_url: str | None
    privacy: str | None
    videos: Mapping[str, datetime | None]
    renamed: Sequence[str] = ()
    complete: bool = False
    etag: str | None = None
    described_at: datetime | None = None
    kind: str = "playlist"
    channel: Mapping[str, Any] | None = None


def put(commit: Commit, read: Snapshot, listing: Listing) -> None:
    """Adds to ``commit`` that exactly these videos are the membership. ``read``: as it was read."""
    known, now = membership_from(read), clock.now()
    before = set(known.video_ids) if known else set()
    data: dict[str, Any] = {
        "title": listing.title,
        "thumbnail_url": listing.thumbnail_url,
        "video_ids": pack_ids(listing.videos),
        "added": pack_times(listing.videos.values()),
        "privacy": listing.privacy,
        "updated_at": now,
        "kind": listing.kind,
        "channel": listing.channel,
    }
    if listing.complete:
        data |= {"etag": listing.etag, "listed_at": now}
    if listing.described_at:
        data["described_at"] = listing.described_at
    new = tuple(each for each in listing.videos if each not in before)
    removed = len(before - listing.videos.keys())
    change = Change(listing.job_id, now, new, removed, renamed=tuple(listing.renamed))
    commit.put(read, data | _changes(known, change))


def _changes(known: Membership | None, change: Change) -> dict[str, Any]:
    """The first job of a source changes nothing."""
    is_first = known is None or known.indexed_at is None
    return {} if known is None or is_first else with_change(known.changes, change)


def keep(commit: Commit, read: Snapshot, videos: Mapping[str, datetime | None]) -> None:
    """Adds to ``commit`` that a person has taken videos out of a source, or put known ones into it."""
    data = {"video_ids": pack_ids(videos), "added": pack_times(videos.values()), "updated_at": clock.now()}
    commit.put(read, data)


class Memberships:
    """The memberships of all users."""

    def __init__(self, db: Firestore, index: SearchIndex) -> None:
        self._db = db
        self._index = index

    def read(self, user_id: str, playlist_id: str) -> Membership | None:
        """None when the playlist is not in the user's library."""
        return read(self._db, user_id, playlist_id)

    def of_user(self, user_id: str) -> list[Membership]:
        """Everything in the user's library, ordered by title."""
        return of_user(self._db, user_id)

    def show(self, user_id: str, playlist_id: str) -> None:
        """Copies a membership to the search index, if the index answers.

        An index that does not answer does not stop planning: :meth:`finish` copies again, and insists.
        """
        try:
            self._copy(user_id, self.read(user_id, playlist_id))
        except Transient as error:
            logs.warning("membership not searchable yet", error, playlist_id=playlist_id)

    def copy(self, user_id: str, playlist_id: str) -> None:
        """Copies a membership to the search index. Raises Transient when the index does not answer."""
        self._copy(user_id, self.read(user_id, playlist_id))

    def finish(
        self,
        user_id: str,
        playlist_id: str,
        job_id: str,
        waiting: Waiting,
        came: Callable[[Collection[str]], Sequence[str]],
        *,
        listed: bool = True,
        only: Collection[str] | None = None,
    ) -> None:
        """Notes that a job has ended, once the index has the membership: how many videos can be searched, and
        which ones wait to be asked about again.

        Everything that is written in the index can be searched before. ``waiting``: those of the job.
        ``came``: tells of which videos captions came. ``listed``: the job wrote the membership. ``only``: the
        videos that it looked at, so that it says nothing of others; None for all of the source.

        Raises:
            Conflict: the source has changed since it was read.
            Transient: the database or the search index does not answer.
        """
        paths = membership_path(user_id, playlist_id), refresh_path(user_id, playlist_id)
        read, refresh_read = self._db.read(*paths)
        membership = membership_from(read)
        if membership is None:
            return
        if listed:
            self._copy(user_id, membership)
        now = clock.now()
        known = refresh_from(refresh_read) or Refresh(user_id, playlist_id)
        asked = known.waiting.keys() & set(known.waiting if only is None else only)
        captions = tuple(came(sorted(asked - waiting.keys())))
        rest = {each: again for each, again in known.waiting.items() if each not in asked}
        data: dict[str, Any] = {"indexed_videos": self._index.count(membership.video_ids)}
        held = set(membership.video_ids)
        still = {each: again for each, again in {**rest, **waiting}.items() if each in held}
        changes: dict[str, Any] = {"waiting": still, "videos": len(held)}
        if only is None or known.snapshot is None:
            how_often = refreshes.every(known.chosen, changes["videos"])
            changes |= {"slot_at": refreshes.next_slot(playlist_id, how_often, now + SETTLED), "late": None}
        if listed:
            data |= {"indexed_at": now, "job_id": job_id}
        data |= _changes(membership, Change(job_id, now, captions=captions))
        commit = self._db.commit()
        commit.update(read.path, data, unchanged_since=read.update_time)
        refreshes.put(commit, refresh_read, user_id, playlist_id, **changes)
        commit.run()

    def choose(self, user_id: str, playlist_id: str, chosen: Chosen | None) -> None:
        """Sets how often a source is refreshed. None: as it is, or "auto" if it never was.

        Raises:
            NotFound: it is not in the user's library.
        """
        retry_on_conflict(lambda: self._choose(user_id, playlist_id, chosen))

    def _choose(self, user_id: str, playlist_id: str, chosen: Chosen | None) -> None:
        path = membership_path(user_id, playlist_id)
        read, refresh_read = self._db.read(path, refresh_path(user_id, playlist_id))
        membership = membership_from(read)
        if membership is None:
            raise NotFound("There is no such playlist in your library.")
        known = refresh_from(refresh_read) or Refresh(user_id, playlist_id)
        how_often = refreshes.every(chosen or known.chosen, len(membership.video_ids))
        slot_at = refreshes.next_slot(playlist_id, how_often, clock.now())
        changes = {"chosen": chosen or known.chosen, "videos": len(membership.video_ids), "slot_at": slot_at}
        commit = self._db.commit()
        # Only as long as the source is in the library.
        commit.update(path, {"updated_at": membership.updated_at}, unchanged_since=read.update_time)
        refreshes.put(commit, refresh_read, user_id, playlist_id, **changes, late=None)
        commit.run()

    def remove(self, user_id: str, playlist_id: str) -> None:
        """Takes a playlist out of the library, at once.

        Every search asks Firestore which playlists count. So a copy that stays in the index because the
        index does not answer is never used.
        """
        self._delete(user_id, playlist_id)
        try:
            self._index.delete_membership(user_id, playlist_id, _version(clock.now()))
        except Transient as error:
            logs.warning("search keeps an unused membership", error, playlist_id=playlist_id)

    def erase(self, user_id: str) -> None:
        """Removes the user's whole library. The copy in the index goes first, so that a retry finds it.

        Raises:
            Transient: the database or the search index does not answer.
        """
        held = {each.id for each in self._db.query(f"users/{user_id}/memberships", fields=["title"])}
        for playlist_id in held | set(self._index.playlists_of(user_id)):
            self._index.delete_membership(user_id, playlist_id, _version(clock.now()))
            self._delete(user_id, playlist_id)
        Refreshes(self._db).erase(user_id)

    def _delete(self, user_id: str, playlist_id: str) -> None:
        commit = self._db.commit()
        for path in (membership_path, refresh_path, check_path):
            commit.delete(path(user_id, playlist_id))
        commit.run()

    def copy_all(self) -> int:
        """Copies every membership of every user to the search index again. The number of memberships.

        Raises:
            Transient: the database or the search index does not answer.
        """
        # The paths first: writing takes a while, and a stream of Firestore's has a time limit.
        paths = [snapshot.path for snapshot in self._db.query_group("memberships", fields=["title"])]
        for path in paths:
            self._copy(path.split("/")[1], membership_from(self._db.read(path)[0]))
        return len(paths)

    def _copy(self, user_id: str, membership: Membership | None) -> None:
        if membership is not None:
            self._index.write_membership(
                user_id, membership.playlist_id, membership.video_ids, membership.version
            )


def read(db: Firestore, user_id: str, playlist_id: str) -> Membership | None:
    """None when the playlist is not in the user's library."""
    return membership_from(db.read(membership_path(user_id, playlist_id))[0])


def brief(db: Firestore, user_id: str, playlist_id: str) -> Membership | None:
    """As :func:`read`, without the videos."""
    (found,) = db.read(membership_path(user_id, playlist_id), fields=("title", "privacy", "updated_at"))
    return membership_from(found)


def of_user(db: Firestore, user_id: str) -> list[Membership]:
    """Everything in the user's library, ordered by title."""
    found = map(membership_from, db.query(f"users/{user_id}/memberships"))
    return sorted(
        (each for each in found if each), key=lambda each: (each.title.casefold(), each.playlist_id)
    )


def titles(db: Firestore, user_id: str) -> dict[str, str]:
    """Playlist id → title of everything in the user's library, without the video ids. Each search asks."""
    found = db.query(f"users/{user_id}/memberships", fields=["title"])
    return {snapshot.id: snapshot.data.get("title", "") for snapshot in found if snapshot.data is not None}


def titles_and_state(db: Firestore, user_id: str) -> tuple[dict[str, str], str]:
    """As :func:`titles`, and a text that changes when a playlist comes, goes, is listed or is indexed."""
    fields = ("title", "updated_at", "indexed_at")
    found = {each.id: each.data or {} for each in db.query(f"users/{user_id}/memberships", fields=fields)}
    state = " ".join(
        f"{playlist_id}:{data.get('updated_at')}:{data.get('indexed_at')}"
        for playlist_id, data in sorted(found.items())
    )
    return {playlist_id: data.get("title", "") for playlist_id, data in found.items()}, state


def _version(time: datetime) -> int:
    return int(time.timestamp() * 1_000_000)
