"""The ledger of a job: one entry a video, and counters that are exact under at-least-once delivery.

An entry leaves ``pending`` once, by a commit that also moves its counter shard, under the
precondition that the entry is still what was read. Whoever comes second reads a settled entry, or
meets a Conflict and reads again; nothing is counted twice. The shard of a video is a hash of its id,
so that writes spread (a Firestore document takes about one sustained write a second) and a
redelivery meets the same shard.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, cast

from shared import clock, documents
from shared.documents import Commit, Conflict, Snapshot

State = Literal["pending", "indexed", "no_transcript", "unavailable", "failed"]
#: A next attempt that is later than this was lost on its way.
LATE = timedelta(seconds=60)
#: Seconds; Pub/Sub doubles its wait after each attempt up to this (infra/pipeline.yaml).
_LONGEST_BACKOFF = 60
#: Entries changed in one commit.
_A_COMMIT = 100
STATES: tuple[State, ...] = ("pending", "indexed", "no_transcript", "unavailable", "failed")


@dataclass(frozen=True, slots=True)
class Entry:
    """One video of a job. ``attempts``: deliveries that failed; ``round``: how often a person retried it."""

    video_id: str
    state: State
    reason: str
    title: str
    position: int
    attempts: int
    round: int
    next_attempt_at: datetime | None
    parked: bool
    youtube_bytes: int
    update_time: datetime | None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A video about to enter the ledger; already settled if nothing remains to be done for it."""

    video_id: str
    title: str
    position: int
    state: State = "pending"
    reason: str = ""
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over all shards. ``changed_at``: when a counter last moved."""

    states: Mapping[State, int]
    reused: int
    youtube_bytes: int
    changed_at: datetime | None

    @property
    def settled(self) -> int:
        return sum(self.states.values()) - self.states["pending"]


def entry_path(job_id: str, video_id: str) -> str:
    return f"jobs/{job_id}/ledger/{video_id}"


def _shard_path(job_id: str, video_id: str, shards: int) -> str:
    return f"jobs/{job_id}/counters/{zlib.crc32(video_id.encode()) % shards}"


def entry_of(snapshot: Snapshot) -> Entry | None:
    """None when there is no such entry."""
    data = snapshot.data
    if data is None:
        return None
    return Entry(
        video_id=snapshot.id,
        state=data["state"],
        reason=data.get("reason", ""),
        title=data.get("title", ""),
        position=data.get("position", 0),
        attempts=data.get("attempts", 0),
        round=data.get("round", 0),
        next_attempt_at=data.get("next_attempt_at"),
        parked=data.get("parked", False),
        youtube_bytes=data.get("youtube_bytes", 0),
        update_time=snapshot.update_time,
    )


def add(commit: Commit, job_id: str, shards: int, entries: Sequence[NewEntry]) -> None:
    """Puts the birth of entries and the movement of their counters into ``commit``."""
    amounts: dict[str, dict[str, int]] = {}
    for entry in entries:
        commit.create(
            entry_path(job_id, entry.video_id),
            {
                "state": entry.state,
                "reason": entry.reason,
                "title": entry.title[:300],
                "position": entry.position,
                "reused": entry.reused,
                "next_attempt_at": None,
            },
        )
        shard = amounts.setdefault(_shard_path(job_id, entry.video_id, shards), {})
        shard[entry.state] = shard.get(entry.state, 0) + 1
        if entry.reused:
            shard["reused"] = shard.get("reused", 0) + 1
    for path, shard in amounts.items():
        commit.add(path, shard)


def settle(
    job_id: str,
    shards: int,
    entry: Entry,
    state: State,
    *,
    reason: str = "",
    reused: bool = False,
    youtube_bytes: int = 0,
) -> bool:
    """Moves an entry out of ``pending``, once.

    ``youtube_bytes``: what fetching it has cost this job, failed attempts included.

    Returns:
        True if no entry of the same shard is pending any more: time to look whether the job is over.

    Raises:
        Conflict: the entry has changed since it was read.
    """
    commit = Commit()
    commit.update(
        entry_path(job_id, entry.video_id),
        {
            "state": state,
            "reason": reason,
            "reused": reused,
            "next_attempt_at": None,
            "youtube_bytes": youtube_bytes,
        },
        unchanged_since=entry.update_time,
    )
    commit.add(
        _shard_path(job_id, entry.video_id, shards),
        {"pending": -1, state: 1, "reused": int(reused), "youtube_bytes": youtube_bytes},
    )
    return commit.run()[1]["pending"] <= 0


def note_attempt(
    commit: Commit, job_id: str, entry: Entry, *, reason: str, youtube_bytes: int, counted: bool = True
) -> None:
    """Puts a failed attempt into ``commit``; Pub/Sub's backoff tells when about the next one comes.

    Not ``counted``: our address was refused, and not the video. The next one is made when it is let in.
    """
    wait = timedelta(seconds=min(_LONGEST_BACKOFF, 2**entry.attempts))
    commit.update(
        entry_path(job_id, entry.video_id),
        {
            "reason": reason,
            "attempts": entry.attempts + counted,
            "next_attempt_at": clock.now() + wait,
            "parked": False,
            "youtube_bytes": entry.youtube_bytes + youtube_bytes,
        },
        unchanged_since=entry.update_time,
    )


def park(commit: Commit, job_id: str, entry: Entry, *, reason: str, until: datetime) -> None:
    """Puts a video aside in ``commit``: no message of it is on its way, until the sweep publishes one."""
    commit.update(
        entry_path(job_id, entry.video_id),
        {"reason": reason, "next_attempt_at": until, "parked": True},
        unchanged_since=entry.update_time,
    )


def reopen_failed(job_id: str, shards: int) -> None:
    """Returns all failed entries to ``pending``, a round later, each once however many do this at once."""
    ids = [entry.video_id for entry in entries(job_id, "failed")]
    for start in range(0, len(ids), _A_COMMIT):
        paths = [entry_path(job_id, video_id) for video_id in ids[start : start + _A_COMMIT]]
        documents.retried(partial(_reopen, job_id, shards, paths))


def _reopen(job_id: str, shards: int, paths: Sequence[str]) -> None:
    commit, amounts = Commit(), Counter[str]()
    for entry in map(entry_of, documents.read(*paths)):
        if entry is None or entry.state != "failed":
            continue
        commit.update(
            entry_path(job_id, entry.video_id),
            {
                "state": "pending",
                "reason": "",
                "attempts": 0,
                "round": entry.round + 1,
                "next_attempt_at": None,
                # The counter has them since the entry was settled; they must not go in twice.
                "youtube_bytes": 0,
            },
            unchanged_since=entry.update_time,
        )
        amounts[_shard_path(job_id, entry.video_id, shards)] += 1
    for shard, number in amounts.items():
        commit.add(shard, {"pending": number, "failed": -number})
    if len(commit):
        commit.run()


def postpone(job_id: str, waiting: Sequence[Entry], until: datetime) -> None:
    """Says when the next attempt of pending entries is due now; those that changed meanwhile are let be."""
    for start in range(0, len(waiting), _A_COMMIT):
        commit = Commit()
        for entry in waiting[start : start + _A_COMMIT]:
            commit.update(
                entry_path(job_id, entry.video_id),
                {"next_attempt_at": until, "parked": False},
                unchanged_since=entry.update_time,
            )
        try:
            commit.run()
        except Conflict:
            # Some of them moved: the next sweep finds the others still overdue.
            continue


def counts(job_id: str, shards: int) -> Counts:
    """Sums the shards, read in one request."""
    snapshots = documents.read(*(f"jobs/{job_id}/counters/{shard}" for shard in range(shards)))

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
    job_id: str, state: State | None, *, after: str | None = None, limit: int | None = None
) -> Iterator[Entry]:
    """Entries in the order of their ids, so that a cursor is simply the last id."""
    conditions = [("state", "==", state)] if state else []
    for snapshot in documents.query(
        f"jobs/{job_id}/ledger", *conditions, order_by="__name__", start_after=after, limit=limit
    ):
        entry = entry_of(snapshot)
        if entry is not None:
            yield entry


def overdue(job_id: str, late: datetime) -> Iterator[Entry]:
    """Pending entries whose next attempt should have come by ``late``."""
    for snapshot in documents.query(
        f"jobs/{job_id}/ledger", ("state", "==", "pending"), ("next_attempt_at", "<=", late)
    ):
        entry = entry_of(snapshot)
        if entry is not None:
            yield entry


def view(entry: Entry) -> dict[str, Any]:
    """As `GET /api/jobs/{id}/videos` shows it."""
    return {
        "video_id": entry.video_id,
        "title": entry.title,
        "state": entry.state,
        "reason": entry.reason or None,
        "attempts": entry.attempts,
        "next_attempt_at": clock.rfc3339(entry.next_attempt_at),
    }
