"""Memberships: which videos of which playlists are in a user's library. They decide what a user may find.

A membership is one playlist in one library. The document in Firestore is the truth; a copy of its video
ids in the search index is the filter of every search. Firestore keeps the ids in one compressed field:
as a list, each write would change thousands of index entries.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared import clock, logs
from shared.errors import Transient
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore
from shared.search.index.writer import SearchIndex


@dataclass(frozen=True, slots=True)
class Membership:
    """One playlist in a library.

    ``indexed_videos``: videos that could be searched when the playlist was last indexed. ``privacy``:
    public, unlisted or private when the playlist was last listed; None if that was not known.
    """

    playlist_id: str
    updated_at: datetime
    video_ids: tuple[str, ...] = ()
    title: str = ""
    thumbnail_url: str | None = None
    indexed_at: datetime | None = None
    indexed_videos: int = 0
    job_id: str | None = None
    privacy: str | None = None

    @property
    def version(self) -> int:
        """Microseconds since 1970. The search index refuses an older version."""
        return _version(self.updated_at)


def _path(user_id: str, playlist_id: str) -> str:
    return f"users/{user_id}/memberships/{playlist_id}"


def _membership_from(snapshot: Snapshot) -> Membership | None:
    video_ids = unpack_ids((snapshot.data or {}).get("video_ids"))
    return snapshot.read_as(Membership, playlist_id=snapshot.id, video_ids=video_ids)


def pack_ids(video_ids: Iterable[str]) -> bytes:
    """Ids of videos as one field of a document."""
    return zlib.compress(" ".join(video_ids).encode())


def unpack_ids(packed: bytes | None) -> tuple[str, ...]:
    """The inverse of :func:`pack_ids`. Nothing is no ids."""
    return tuple(zlib.decompress(packed).decode().split()) if packed else ()


def put(
    commit: Commit,
    user_id: str,
    playlist_id: str,
    *,
    title: str,
    thumbnail_url: str | None,
    privacy: str | None,
    video_ids: Sequence[str],
) -> None:
    """Adds to ``commit`` that exactly these videos are the membership of the playlist."""
    data = {
        "title": title,
        "thumbnail_url": thumbnail_url,
        "video_ids": pack_ids(video_ids),
        "privacy": privacy,
        "updated_at": clock.now(),
    }
    commit.set(_path(user_id, playlist_id), data, merge=True)


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

    def finish(self, user_id: str, playlist_id: str, job_id: str) -> None:
        """Notes that a job has ended, and how many videos can be searched, once the index has the membership.

        Everything that is written in the index can be searched before.

        Raises:
            Transient: the database or the search index does not answer.
        """
        membership = self.read(user_id, playlist_id)
        if membership is None:
            return
        self._copy(user_id, membership)
        searchable = self._index.count(membership.video_ids)
        data = {"indexed_at": clock.now(), "indexed_videos": searchable, "job_id": job_id}
        self._db.commit().update(_path(user_id, playlist_id), data).run()

    def remove(self, user_id: str, playlist_id: str) -> None:
        """Takes a playlist out of the library, at once.

        Every search asks Firestore which playlists count. So a copy that stays in the index because the
        index does not answer is never used.
        """
        self._db.commit().delete(_path(user_id, playlist_id)).run()
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
            self._db.commit().delete(_path(user_id, playlist_id)).run()

    def copy_all(self) -> int:
        """Copies every membership of every user to the search index again. The number of memberships.

        Raises:
            Transient: the database or the search index does not answer.
        """
        # The paths first: writing takes a while, and a stream of Firestore's has a time limit.
        paths = [snapshot.path for snapshot in self._db.query_group("memberships", fields=["title"])]
        for path in paths:
            self._copy(path.split("/")[1], _membership_from(self._db.read(path)[0]))
        return len(paths)

    def _copy(self, user_id: str, membership: Membership | None) -> None:
        if membership is not None:
            self._index.write_membership(
                user_id, membership.playlist_id, membership.video_ids, membership.version
            )


def read(db: Firestore, user_id: str, playlist_id: str) -> Membership | None:
    """None when the playlist is not in the user's library."""
    return _membership_from(db.read(_path(user_id, playlist_id))[0])


def brief(db: Firestore, user_id: str, playlist_id: str) -> Membership | None:
    """As :func:`read`, without the videos."""
    (found,) = db.read(_path(user_id, playlist_id), fields=("title", "privacy", "updated_at"))
    return _membership_from(found)


def of_user(db: Firestore, user_id: str) -> list[Membership]:
    """Everything in the user's library, ordered by title."""
    found = map(_membership_from, db.query(f"users/{user_id}/memberships"))
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
