"""The ledger of a job: one entry a video, and counters that stay exact although messages are delivered twice.

An entry leaves ``pending`` once: by a commit that also moves a counter, on the condition that the entry
is still as it was read. A second delivery reads a settled entry, or meets a Conflict and reads again, so
nothing is counted twice.

Counters are split into shards, because a Firestore document takes about one sustained write a second. A
video's shard is a hash of its id, so that a redelivery moves the same shard.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Literal, cast, get_args

from shared import clock
from shared.errors import Conflict
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.transcripts.transcript import OutcomeKind

VideoState = Literal["pending", "indexed", "no_transcript", "unavailable", "failed"]
STATES: tuple[VideoState, ...] = get_args(VideoState)
#: The message of a next attempt that is later than this was lost.
LATE = timedelta(seconds=60)
#: Seconds. Pub/Sub doubles its backoff after each attempt, up to this (infra/pipeline.yaml).
_LONGEST_BACKOFF = 60
#: Earlier than any time.
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
#: Entries changed in one commit.
_COMMIT_SIZE = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """One video of a job.

    ``attempts``: failed attempts at YouTube or the search index. ``round``: how often a person retried the
    video. ``parked``: no message of it is on its way; the sweep publishes one at ``next_attempt_at``.
    ``youtube_bytes``: what failed attempts received. ``look_again_at``, ``not_yet``: of the outcome with
    which the video was settled (:class:`shared.transcripts.store.Outcome`).
    """

    video_id: str
    state: VideoState
    reason: str = ""
    title: str = ""
    position: int = 0
    attempts: int = 0
    round: int = 0
    next_attempt_at: datetime | None = None
    parked: bool = False
    youtube_bytes: int = 0
    look_again_at: datetime | None = None
    not_yet: bool = False
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A video that is about to enter the ledger. It may be settled already, when nothing is left to do."""

    video_id: str
    title: str
    position: int
    state: VideoState = "pending"
    reason: str = ""
    reused: bool = False
    look_again_at: datetime | None = None
    not_yet: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over all shards. ``changed_at``: when a counter last moved."""

    states: Mapping[VideoState, int]
    reused: int
    youtube_bytes: int
    changed_at: datetime | None

    @property
    def settled(self) -> int:
        return sum(self.states.values()) - self.states["pending"]

    def as_json(self) -> dict[str, int]:
        """As a job keeps them when it is done."""
        states: dict[str, int] = {str(state): number for state, number in self.states.items()}
        return states | {"reused": self.reused, "youtube_bytes": self.youtube_bytes}

    @classmethod
    def from_json(cls, data: Mapping[str, int]) -> Counts:
        return cls({state: data[state] for state in STATES}, data["reused"], data["youtube_bytes"], None)


def entry_path(job_id: str, video_id: str) -> str:
    return f"jobs/{job_id}/ledger/{video_id}"


def shard_path(job_id: str, video_id: str, shards: int) -> str:
    return f"jobs/{job_id}/counters/{zlib.crc32(video_id.encode()) % shards}"


def entry_from(snapshot: Snapshot) -> Entry | None:
    """None when there is no such entry."""
    return snapshot.read_as(Entry, video_id=snapshot.id, update_time=snapshot.update_time)


def enter(commit: Commit, job_id: str, shards: int, entries: Sequence[NewEntry]) -> None:
    """Adds to ``commit`` the making of entries and the change of their counters."""
    amounts: dict[str, Counter[str]] = {}
    for entry in entries:
        data = {
            "state": entry.state,
            "reason": entry.reason,
            "title": entry.title[:300],
            "position": entry.position,
            "reused": entry.reused,
            "next_attempt_at": None,
            "look_again_at": entry.look_again_at,
            "not_yet": entry.not_yet,
        }
        commit.create(entry_path(job_id, entry.video_id), data)
        shard = amounts.setdefault(shard_path(job_id, entry.video_id, shards), Counter())
        shard[entry.state] += 1
        if entry.reused:
            shard["reused"] += 1
    for path, shard in amounts.items():
        commit.add(path, shard)


class Ledger:
    """The ledgers of all jobs."""

    def __init__(self, db: Firestore) -> None:
        self._db = db

    def read(self, job_id: str, video_id: str) -> Entry | None:
        """None when the job has no such video."""
        return entry_from(self._db.read(entry_path(job_id, video_id))[0])

    def settle(
        self,
        job_id: str,
        shards: int,
        entry: Entry,
        state: VideoState,
        *,
        reason: str,
        reused: bool,
        youtube_bytes: int,
        look_again_at: datetime | None = None,
        not_yet: bool = False,
    ) -> bool:
        """Moves an entry out of ``pending``, once. Only :mod:`shared.pipeline.settlement` calls this.

        ``youtube_bytes``: what the video cost this job, failed attempts included.

        Returns:
            True if no entry of the same shard is pending any more: the job may be complete.

        Raises:
            Conflict: the entry has changed since it was read.
        """
        data = {
            "state": state,
            "reason": reason,
            "reused": reused,
            "next_attempt_at": None,
            "youtube_bytes": youtube_bytes,
            "look_again_at": look_again_at,
            "not_yet": not_yet,
        }
        amounts = {"pending": -1, state: 1, "reused": int(reused), "youtube_bytes": youtube_bytes}
        commit = self._db.commit()
        commit.update(entry_path(job_id, entry.video_id), data, unchanged_since=entry.update_time)
        commit.add(shard_path(job_id, entry.video_id, shards), amounts)
        return commit.run().counters[1]["pending"] <= 0

    def note_attempt(
        self, job_id: str, entry: Entry, *, reason: str, youtube_bytes: int = 0, counted: bool = True
    ) -> None:
        """Writes down a failed attempt, and when about Pub/Sub will deliver the message again.

        ``counted``: False when our address was refused and the video is not at fault.

        Raises:
            Conflict: the entry has changed since it was read.
        """
        wait = timedelta(seconds=min(_LONGEST_BACKOFF, 2**entry.attempts))
        data = {
            "reason": reason,
            "attempts": entry.attempts + counted,
            "next_attempt_at": clock.now() + wait,
            "parked": False,
            "youtube_bytes": entry.youtube_bytes + youtube_bytes,
        }
        path = entry_path(job_id, entry.video_id)
        self._db.commit().update(path, data, unchanged_since=entry.update_time).run()

    def park(self, job_id: str, entry: Entry, *, reason: str, until: datetime) -> None:
        """Puts a video aside: its message is acked, and the sweep publishes another one at ``until``.

        Raises:
            Conflict: the entry has changed since it was read.
        """
        data = {"reason": reason, "next_attempt_at": until, "parked": True}
        path = entry_path(job_id, entry.video_id)
        self._db.commit().update(path, data, unchanged_since=entry.update_time).run()

    def reopen_failed(self, job_id: str, shards: int) -> None:
        """Returns all failed entries to ``pending``, one round later. Concurrent calls reopen each once."""
        ids = [entry.video_id for entry in self.entries(job_id, "failed")]
        for start in range(0, len(ids), _COMMIT_SIZE):
            paths = [entry_path(job_id, video_id) for video_id in ids[start : start + _COMMIT_SIZE]]
            retry_on_conflict(partial(self._reopen, job_id, shards, paths))

    def _reopen(self, job_id: str, shards: int, paths: Sequence[str]) -> None:
        commit, amounts = self._db.commit(), Counter[str]()
        for entry in map(entry_from, self._db.read(*paths)):
            if entry is None or entry.state != "failed":
                continue
            data = {
                "state": "pending",
                "reason": "",
                "attempts": 0,
                "round": entry.round + 1,
                "next_attempt_at": None,
                # The counter has held them since the entry was settled. They must not be added twice.
                "youtube_bytes": 0,
            }
            commit.update(entry_path(job_id, entry.video_id), data, unchanged_since=entry.update_time)
            amounts[shard_path(job_id, entry.video_id, shards)] += 1
        for shard, number in amounts.items():
            commit.add(shard, {"pending": number, "failed": -number})
        if len(commit):
            commit.run()

    def postpone(self, job_id: str, entries: Sequence[Entry], until: datetime) -> None:
        """Sets the time of the next attempt of pending entries. Entries that changed meanwhile stay."""
        for start in range(0, len(entries), _COMMIT_SIZE):
            commit = self._db.commit()
            for entry in entries[start : start + _COMMIT_SIZE]:
                data = {"next_attempt_at": until, "parked": False}
                commit.update(entry_path(job_id, entry.video_id), data, unchanged_since=entry.update_time)
            try:
                commit.run()
            except Conflict:
                # Some of them changed. The next sweep finds the others still overdue.
                continue

    def counts(self, job_id: str, shards: int) -> Counts:
        """Sums the shards, which are read in one request."""
        snapshots = self._db.read(*(f"jobs/{job_id}/counters/{shard}" for shard in range(shards)))

        def total(name: str) -> int:
            return sum(cast(int, snapshot.data.get(name, 0)) for snapshot in snapshots if snapshot.data)

        times = [snapshot.update_time for snapshot in snapshots if snapshot.update_time]
        return Counts(
            {state: total(state) for state in STATES},
            total("reused"),
            total("youtube_bytes"),
            max(times, default=None),
        )

    def entries(
        self, job_id: str, state: VideoState | None, *, after: str | None = None, limit: int | None = None
    ) -> Iterator[Entry]:
        """Entries in the order of their ids, so that the last id of a page is the cursor of the next."""
        conditions = [("state", "==", state)] if state else []
        found = self._db.query(
            f"jobs/{job_id}/ledger", *conditions, order_by="__name__", start_after=after, limit=limit
        )
        return (entry for entry in map(entry_from, found) if entry is not None)

    def unfinished(self, job_id: str) -> Iterator[Entry]:
        """Settled entries about which YouTube is to be asked again some day."""
        found = self._db.query(f"jobs/{job_id}/ledger", ("look_again_at", ">", _EVER))
        return (entry for entry in map(entry_from, found) if entry is not None)

    def indexed(self, job_id: str, video_ids: Collection[str]) -> list[str]:
        """Those of the videos that have a transcript in the search index."""
        snapshots = self._db.read(*(entry_path(job_id, each) for each in video_ids))
        return [entry.video_id for entry in map(entry_from, snapshots) if entry and entry.state == "indexed"]

    def overdue(self, job_id: str, since: datetime) -> Iterator[Entry]:
        """Pending entries whose next attempt was due at ``since`` or earlier."""
        conditions = (("state", "==", "pending"), ("next_attempt_at", "<=", since))
        found = self._db.query(f"jobs/{job_id}/ledger", *conditions)
        return (entry for entry in map(entry_from, found) if entry is not None)


def state_when_indexed(kind: OutcomeKind) -> VideoState:
    """The state of a video that is in the search index with this outcome."""
    return "indexed" if kind == "transcript" else kind
