"""When each source of a library is refreshed. See docs/decisions/refresh.md.

A source has a document here from the end of its first job on, and a collection from its beginning on. It is
made in a commit that also writes the membership, and deleted with it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from shared import clock
from shared.errors import Conflict
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore

Every = Literal["off", "daily", "weekly"]
Chosen = Literal["auto", "off", "daily", "weekly"]
CHOICES: tuple[Chosen, ...] = get_args(Chosen)
#: Sources of at most so many videos are refreshed daily, unless the person chooses otherwise.
DAILY_VIDEOS = 200
#: A source that is being looked at is due again after this, if the process dies.
_CLAIM = timedelta(minutes=10)
#: The most sources that are read at a time, the longest due first.
_MOST_DUE = 1000
_DAY = timedelta(days=1)
#: A source that was just listed is not looked at again before.
SETTLED = timedelta(hours=6)
#: A source is listed to its end, and described, every seventh day. A little less, because jobs take a while.
LISTED_EVERY = timedelta(days=6, hours=12)


@dataclass(frozen=True, slots=True)
class Again:
    """When YouTube is asked about a video again. ``not_yet``: it can be watched, or has captions, from then
    on; otherwise the next slot after that time is early enough.
    """

    at: datetime
    not_yet: bool = False


#: Video id → when to ask about it again.
Waiting = Mapping[str, Again]


@dataclass(frozen=True, slots=True)
class Refresh:
    """When one source is refreshed.

    ``videos``: how many it has. ``slot_at``: when it is looked at next; None if never. ``due_at``: the same,
    or earlier for a video that waits. ``late``: why the last refresh found nothing out, in a sentence.
    ``snapshot``: the document; None if there is none yet.
    """

    user_id: str
    playlist_id: str
    chosen: Chosen = "auto"
    videos: int = 0
    slot_at: datetime | None = None
    due_at: datetime | None = None
    late: str | None = None
    waiting: Waiting = field(default_factory=dict)
    snapshot: Snapshot | None = field(default=None, repr=False, compare=False)

    @property
    def every(self) -> Every:
        return every(self.chosen, self.videos)

    def overdue(self, now: datetime) -> list[str]:
        """The ids of videos to ask about now."""
        return sorted(video_id for video_id, again in self.waiting.items() if again.at <= now)


@dataclass(frozen=True, slots=True)
class Due:
    """A source that is due, as :meth:`Refreshes.due` lists it."""

    user_id: str
    playlist_id: str
    due_at: datetime
    slot_at: datetime | None = None
    videos: int = 0


def every(chosen: Chosen, videos: int) -> Every:
    """How often a source of so many videos is refreshed."""
    if chosen != "auto":
        return chosen
    return "daily" if videos <= DAILY_VIDEOS else "weekly"


def next_slot(playlist_id: str, how_often: Every, after: datetime) -> datetime | None:
    """The first slot of a source after a time. None for "off".

    A hash of the playlist spreads the load. It is the same for all users, so that one request to YouTube
    answers for all who have the playlist.
    """
    if how_often == "off":
        return None
    digest = int.from_bytes(hashlib.sha256(playlist_id.encode()).digest()[:8])
    second, weekday = digest % 86_400, digest // 86_400 % 7
    midnight = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    slot = midnight + timedelta(seconds=second)
    while slot <= after or (how_often == "weekly" and slot.weekday() != weekday):
        slot += _DAY
    return slot


def is_young(listed_at: datetime | None) -> bool:
    """Whether a source that was listed then need not be listed to its end now."""
    return listed_at is not None and clock.now() - listed_at < LISTED_EVERY


def due_at(slot_at: datetime | None, waiting: Waiting) -> datetime | None:
    """The slot, or the time of the first video that cannot wait for it."""
    if slot_at is None:
        return None
    return min([slot_at, *(again.at for again in waiting.values() if again.not_yet)])


def refresh_path(user_id: str, playlist_id: str) -> str:
    return f"refreshes/{user_id}:{playlist_id}"


def refresh_from(snapshot: Snapshot) -> Refresh | None:
    """None when there is none."""
    waiting = _unpack((snapshot.data or {}).get("waiting"))
    return snapshot.read_as(Refresh, waiting=waiting, snapshot=snapshot)


def put(commit: Commit, read: Snapshot, user_id: str, playlist_id: str, **changes: Any) -> None:
    """Adds to ``commit`` the making or the change of a document. ``read``: as it was read.

    ``changes``: fields of :class:`Refresh`; ``due_at`` follows from them.
    """
    known = refresh_from(read) or Refresh(user_id, playlist_id)
    waiting: Waiting = changes.get("waiting", known.waiting)
    slot_at = changes.get("slot_at", known.slot_at)
    data = {"user_id": user_id, "playlist_id": playlist_id, "chosen": known.chosen, **changes}
    data |= {"due_at": due_at(slot_at, waiting)}
    if "waiting" in changes:
        data["waiting"] = _pack(waiting)
    commit.put(read, data)


class Refreshes:
    """The documents of all users."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def of_user(self, user_id: str) -> dict[str, Refresh]:
        """By playlist id."""
        found = map(refresh_from, self._db.query("refreshes", ("user_id", "==", user_id)))
        return {each.playlist_id: each for each in found if each is not None}

    def due(self, now: datetime) -> list[Due]:
        """What is due, what was due first before others."""
        found = self._db.query(
            "refreshes",
            ("due_at", "<=", now),
            order_by="due_at",
            limit=_MOST_DUE,
            fields=[each.name for each in fields(Due)],
        )
        return [due for due in (each.read_as(Due) for each in found) if due is not None]

    def claim(self, due: Due) -> Refresh | None:
        """Takes a source that is due. None when it is not due any more, or another process has it."""
        snapshot = self._db.read(refresh_path(due.user_id, due.playlist_id))[0]
        found, now = refresh_from(snapshot), clock.now()
        if found is None or found.due_at is None or found.due_at > now:
            return None
        taken = {"due_at": now + _CLAIM}
        try:
            self._db.commit().put(snapshot, taken).run()
        except Conflict:
            return None
        return replace(found, snapshot=replace(snapshot, data={**(snapshot.data or {}), **taken}))

    def ending(self, claimed: Refresh, **changes: Any) -> Commit | None:
        """A commit that ends a claim. None when the source was removed or changed since it was claimed.

        A job has ended, then, or the person has chosen anew. ``changes`` know nothing of it, and the document
        says already when the source is due.
        """
        assert claimed.snapshot is not None, "it was claimed"
        # Not the time of the last write: asking YouTube in a user's name writes the same fields again.
        snapshot = self._db.read(claimed.snapshot.path)[0]
        if snapshot.data != claimed.snapshot.data:
            return None
        commit = self._db.commit()
        put(commit, snapshot, claimed.user_id, claimed.playlist_id, **changes)
        return commit

    def end(self, claimed: Refresh, **changes: Any) -> None:
        """Ends a claim, unless the source has changed since. See :meth:`ending`."""
        commit = self.ending(claimed, **changes)
        try:
            if commit is not None:
                commit.run()
        except Conflict:
            return

    def note_late(self, user_id: str, playlist_id: str, reason: str) -> None:
        """Says on a source why its refresh found nothing out."""
        snapshot = self._db.read(refresh_path(user_id, playlist_id))[0]
        if snapshot.data is None:
            return
        try:
            self._db.commit().put(snapshot, {"late": reason}).run()
        except Conflict:
            return

    def erase(self, user_id: str) -> None:
        """Deletes all of a user's, and what was asked for in the user's name (shared.library.checks)."""
        for snapshot in list(self._db.query("refreshes", ("user_id", "==", user_id), fields=["user_id"])):
            self._db.commit().delete(snapshot.path).delete(f"checks/{snapshot.id}").run()


def _pack(waiting: Waiting) -> bytes:
    """One field for all, because a list would be one index entry for each video."""
    lines = (f"{each} {again.at.timestamp():.6f} {again.not_yet:d}" for each, again in waiting.items())
    return zlib.compress("\n".join(lines).encode())


def _unpack(packed: bytes | None) -> dict[str, Again]:
    found: dict[str, Again] = {}
    for line in zlib.decompress(packed).decode().splitlines() if packed else ():
        video_id, at, not_yet = line.split(" ")
        found[video_id] = Again(datetime.fromtimestamp(float(at), UTC), not_yet == "1")
    return found
