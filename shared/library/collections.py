"""Collections: lists of videos that a person keeps here, such as "Saved videos".

Two documents belong to a collection. Its own says what the person put into it. Its membership says what of
that the person may find: YouTube may not know a video, or show it to nobody. Whoever changes the videos of
the membership also writes the collection's document, on the condition that it has not changed since it was
read. So a planner that is late puts back nothing that was taken out, and two additions at once are both kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from shared import clock
from shared.errors import BadRequest, Busy, NotFound
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore, delete_all, retry_on_conflict
from shared.library import memberships, refreshes
from shared.library.memberships import Listing, membership_path
from shared.library.packing import pack_ids, pack_times, unpack_ids, unpack_times
from shared.library.refreshes import next_slot, refresh_path

#: Videos in one collection, collections of one user, and characters of a title.
MAXIMUM_VIDEOS, MAXIMUM_COLLECTIONS, MAXIMUM_TITLE = 10_000, 200, 150
#: Each user's collection for single videos has the same id. It is made when it is needed.
SAVED, SAVED_TITLE = "collection-0000000000000000", "Saved videos"
_ID = re.compile(r"collection-[0-9a-f]{16}")
_MISSING = "There is no such collection in your library."


def is_collection(playlist_id: object) -> bool:
    """Whether this is the id of a collection, and of no playlist at YouTube."""
    return isinstance(playlist_id, str) and _ID.fullmatch(playlist_id) is not None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection as it is stored.

    ``added``: video id → when the person added it, in the order of adding. ``gone``: those of the videos that
    YouTube did not show when it was last asked.
    """

    collection_id: str
    title: str
    added: Mapping[str, datetime | None]
    gone: frozenset[str]
    snapshot: Snapshot = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Added:
    """What an addition changed. ``added``: new in the collection; ``already``: in it before.

    ``to_list``: some of the videos cannot be found yet, so a job has to look at them.
    """

    collection_id: str
    title: str
    added: int
    already: int
    to_list: bool


def path(user_id: str, collection_id: str) -> str:
    return f"users/{user_id}/collections/{collection_id}"


def _collection_from(snapshot: Snapshot) -> Collection | None:
    data = snapshot.data
    if data is None:
        return None
    added = zip(unpack_ids(data.get("video_ids")), unpack_times(data.get("added")), strict=True)
    gone = frozenset(unpack_ids(data.get("gone")))
    return Collection(snapshot.id, data["title"], dict(added), gone, snapshot)


def put(
    commit: Commit,
    collection: Collection,
    added: Mapping[str, datetime | None],
    gone: Iterable[str] | None = None,
) -> None:
    """Adds to ``commit`` that these are the videos, unless the collection has changed since it was read."""
    left = collection.gone if gone is None else gone
    data = {
        "video_ids": pack_ids(added),
        "added": pack_times(added.values()),
        "gone": pack_ids(each for each in left if each in added),
    }
    commit.put(collection.snapshot, data)


def read(db: Firestore, user_id: str, collection_id: str) -> Collection | None:
    """None when the user has no such collection."""
    if not is_collection(collection_id):
        return None
    return _collection_from(db.read(path(user_id, collection_id))[0])


class Collections:
    """The collections of all users."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def read(self, user_id: str, collection_id: str) -> Collection:
        """Raises NotFound when the user has no such collection."""
        found = read(self._db, user_id, SAVED if collection_id == "saved" else collection_id)
        if found is None:
            raise NotFound(_MISSING)
        return found

    def create(self, user_id: str, title: object) -> Collection:
        """A new collection without videos.

        Raises:
            BadRequest: this is no title.
            Busy: the user has a collection of this title, or too many of them.
        """
        title = _title_from(title)

        def attempt() -> Collection:
            known = self._titles(user_id)
            _require_free(title, {SAVED: SAVED_TITLE} | known)
            if len(known) >= MAXIMUM_COLLECTIONS:
                raise Busy(f"You have {len(known)} collections, and there can be no more. Remove one first.")
            # Two requests for the same title make the same id, so that only one of them succeeds.
            digest = hashlib.sha256(f"{user_id}/{title.casefold()}".encode()).hexdigest()[:16]
            collection_id = f"collection-{digest}"
            if collection_id in known:
                collection_id = f"collection-{uuid4().hex[:16]}"
            return self._make(user_id, collection_id, title)

        return retry_on_conflict(attempt)

    def rename(self, user_id: str, collection_id: str, title: object) -> Collection:
        """Gives a collection another title.

        Raises:
            BadRequest, Busy: as :meth:`create`.
            NotFound: the user has no such collection.
        """
        title = _title_from(title)

        def attempt() -> Collection:
            collection = self.read(user_id, collection_id)
            known = {SAVED: SAVED_TITLE} | self._titles(user_id)
            known.pop(collection.collection_id, None)
            _require_free(title, known)
            commit = self._db.commit().put(collection.snapshot, {"title": title})
            commit.update(membership_path(user_id, collection.collection_id), {"title": title}).run()
            return self.read(user_id, collection.collection_id)

        return retry_on_conflict(attempt)

    def add(self, user_id: str, collection_id: str, videos: Mapping[str, datetime | None]) -> Added:
        """Adds videos at the end, those that are not in it yet. ``videos``: id → when it was added, or None.

        "Saved videos" is made if it is missing. The videos are found only after a job has listed them.

        Raises:
            Busy: the collection would have too many videos.
            NotFound: the user has no such collection.
        """
        now = clock.now()

        def attempt() -> Added:
            collection = self._open(user_id, collection_id)
            new = {each: time or now for each, time in videos.items() if each not in collection.added}
            _require_room(len(collection.added) + len(new))
            # Videos that YouTube did not show are asked for again.
            gone = collection.gone - videos.keys()
            if new or gone != collection.gone:
                commit = self._db.commit()
                put(commit, collection, {**collection.added, **new}, gone)
                commit.run()
            known = memberships.read(self._db, user_id, collection.collection_id)
            to_list = not videos.keys() <= set(known.video_ids if known else ())
            return Added(
                collection.collection_id, collection.title, len(new), len(videos) - len(new), to_list
            )

        return retry_on_conflict(attempt)

    def unchanged(self, user_id: str, collection_id: str) -> Added:
        """As :meth:`add` without videos. "Saved videos" is not made for that. Raises NotFound."""
        if collection_id in ("saved", SAVED):
            return Added(SAVED, SAVED_TITLE, 0, 0, False)
        known = self.read(user_id, collection_id)
        return Added(known.collection_id, known.title, 0, 0, False)

    def move(
        self, user_id: str, source_id: str, collection_id: str, videos: Mapping[str, datetime | None]
    ) -> Added:
        """As :meth:`add`, for videos that leave another collection. What could be found there is found here.

        Videos that the other one does not have are added, too.

        Raises:
            BadRequest: the two are the same.
            Busy, NotFound: as :meth:`add`, also for the other one.
        """

        def attempt() -> Added:
            origin, target = self.read(user_id, source_id), self._open(user_id, collection_id)
            if origin.collection_id == target.collection_id:
                raise BadRequest("from: expected another collection than the one that the videos go to.")
            paths = [membership_path(user_id, each.collection_id) for each in (origin, target)]
            there, here = self._db.read(*paths)
            now = clock.now()
            times = {each: time or origin.added.get(each) or now for each, time in videos.items()}
            new = {each: time for each, time in times.items() if each not in target.added}
            _require_room(len(target.added) + len(new))
            left = {each: time for each, time in origin.added.items() if each not in videos}
            known = unpack_ids((there.data or {}).get("video_ids"))
            found = {*unpack_ids((here.data or {}).get("video_ids")), *videos.keys() & set(known)}
            moved = replace(target, added={**target.added, **new})
            commit = self._db.commit()
            put(commit, origin, left)
            put(commit, target, moved.added, target.gone - videos.keys())
            memberships.keep(commit, there, {each: left[each] for each in known if each in left})
            memberships.keep(commit, here, visible(moved, found))
            commit.run()
            to_list = not videos.keys() <= found
            return Added(target.collection_id, target.title, len(new), len(videos) - len(new), to_list)

        return retry_on_conflict(attempt)

    def remove(self, user_id: str, collection_id: str, video_id: str) -> bool:
        """Takes a video out. Whether it was in the collection.

        Raises:
            NotFound: the user has no such collection.
        """

        def attempt() -> bool:
            collection = self.read(user_id, collection_id)
            if video_id not in collection.added:
                return False
            left = {each: time for each, time in collection.added.items() if each != video_id}
            library = self._db.read(membership_path(user_id, collection.collection_id))[0]
            known = unpack_ids((library.data or {}).get("video_ids"))
            commit = self._db.commit()
            put(commit, collection, left)
            memberships.keep(commit, library, {each: left[each] for each in known if each in left})
            commit.run()
            return True

        return retry_on_conflict(attempt)

    def delete(self, user_id: str, collection_id: str) -> None:
        """Deletes a collection. Its membership is removed as every other."""
        self._db.commit().delete(path(user_id, collection_id)).run()

    def note(
        self, commit: Commit, user_id: str, known: Snapshot, listing: Listing, hidden: Iterable[str]
    ) -> Listing | None:
        """Adds to ``commit`` what a job found out. The listing with all that can be found then; None if the
        collection is gone.

        ``known``: the membership. ``listing``: the videos that YouTube shows, and those that could be found
        before; ``hidden``: those that it does not show.
        """
        collection = read(self._db, user_id, known.id)
        if collection is None:
            return None
        put(commit, collection, collection.added, (collection.gone - listing.videos.keys()) | set(hidden))
        before = unpack_ids((known.data or {}).get("video_ids"))
        videos = visible(collection, {*before, *listing.videos})
        # The person may have renamed it since the job began.
        return replace(listing, title=collection.title, videos=videos)

    def forget(self, user_id: str) -> None:
        """Deletes all collections of a user. Their memberships are erased with the others."""
        delete_all(self._db, f"users/{user_id}/collections")

    def _open(self, user_id: str, collection_id: str) -> Collection:
        """The collection. "Saved videos" is made if it is missing."""
        if collection_id in ("saved", SAVED):
            return read(self._db, user_id, SAVED) or self._make(user_id, SAVED, SAVED_TITLE)
        return self.read(user_id, collection_id)

    def _make(self, user_id: str, collection_id: str, title: str) -> Collection:
        """Raises Conflict if it exists."""
        commit = self._db.commit()
        commit.create(path(user_id, collection_id), {"title": title, "created_at": clock.now()})
        # So that the library shows it before anything of it can be found.
        data = {"title": title, "kind": "collection", "updated_at": clock.now()}
        commit.set(membership_path(user_id, collection_id), data)
        # Also what was added and never got a job, because the process died, is found at the next slot.
        plan = Snapshot(refresh_path(user_id, collection_id), None, None)
        slot_at = next_slot(collection_id, "daily", clock.now())
        refreshes.put(commit, plan, user_id, collection_id, videos=0, slot_at=slot_at)
        commit.run()
        return self.read(user_id, collection_id)

    def _titles(self, user_id: str) -> dict[str, str]:
        found = self._db.query(f"users/{user_id}/collections", fields=["title"])
        return {each.id: each.data["title"] for each in found if each.data}


def _require_free(title: str, known: Mapping[str, str]) -> None:
    if title.casefold() in {each.casefold() for each in known.values()}:
        raise Busy(f"You have a collection named {title!r}. Choose another name.")


def _require_room(number: int) -> None:
    if number > MAXIMUM_VIDEOS:
        raise Busy(
            f"A collection holds at most {MAXIMUM_VIDEOS:,} videos, and these would be {number:,}."
            " Put some of them into another collection."
        )


def _title_from(value: object) -> str:
    title = " ".join(value.split()) if isinstance(value, str) else ""
    if not title or not title.isprintable() or len(title) > MAXIMUM_TITLE:
        raise BadRequest(f"title: expected 1 to {MAXIMUM_TITLE} characters, found {str(value)[:40]!r}.")
    return title


def visible(collection: Collection, video_ids: Iterable[str]) -> dict[str, datetime | None]:
    """Those of the videos that are in the collection, in its order, and when each was added."""
    wanted = set(video_ids)
    return {each: time for each, time in collection.added.items() if each in wanted}
