"""Jobs: one indexing of one playlist for one user, from `queued` to its end.

::

    queued → planning → running → done
       └────────┴──→ failed (with a reason)
       └────────┴──────────┴────→ cancelled
    again: done, cancelled, failed → running (or queued, if the playlist was never listed to its end)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from shared import clock, documents, ledger, library, logs, search_index, topics
from shared.documents import Commit, Snapshot, retried
from shared.errors import Busy
from shared.ledger import Entry, State
from shared.messages import PlaylistMessage, is_id

JobState = Literal["queued", "planning", "running", "done", "failed", "cancelled"]
_LISTING: tuple[JobState, ...] = ("queued", "planning")
ACTIVE: tuple[JobState, ...] = (*_LISTING, "running")
#: Videos a counter shard serves; with at most 64 shards a job of 5,000 moves each 80 times.
_VIDEOS_A_SHARD = 50
_MAXIMUM_SHARDS = 64
#: Pauses that end so near each other are one.
SAME_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """As stored. ``listed``: entries in the ledger so far; ``total``: the same once the list is complete."""

    job_id: str
    user_id: str
    playlist_id: str
    state: JobState
    title: str
    shards: int
    listed: int
    total: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    blocked_until: datetime | None
    #: YouTube refuses all our addresses until then.
    paused_until: datetime | None
    error: str | None
    #: How often in a row the sweep has published its videos again, in vain.
    stalls: int
    update_time: datetime | None

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


def path(job_id: str) -> str:
    return f"jobs/{job_id}"


def _active_path(user_id: str, playlist_id: str) -> str:
    return f"active_jobs/{user_id}:{playlist_id}"


def job_of(snapshot: Snapshot) -> Job | None:
    """None when there is no such job."""
    data = snapshot.data
    if data is None:
        return None
    return Job(
        job_id=snapshot.id,
        user_id=data["user_id"],
        playlist_id=data["playlist_id"],
        state=data["state"],
        title=data.get("title", ""),
        shards=data.get("shards", 1),
        listed=data.get("listed", 0),
        total=data.get("total"),
        created_at=data["created_at"],
        started_at=data.get("started_at"),
        finished_at=data.get("finished_at"),
        blocked_until=data.get("blocked_until"),
        paused_until=data.get("paused_until"),
        error=data.get("error"),
        stalls=data.get("stalls", 0),
        update_time=snapshot.update_time,
    )


def read(job_id: str) -> Job | None:
    """None when there is no such job, or can be none of that id."""
    if not is_id(job_id):
        return None
    return job_of(documents.read(path(job_id))[0])


def start(
    user_id: str,
    playlist_id: str,
    job_id: str | None = None,
    *,
    beside: Sequence[str] = (),
    within: Callable[[Commit, Sequence[Snapshot]], None] = lambda commit, others: None,
) -> tuple[Job, bool]:
    """The active job of this user and playlist, or a new one and True.

    A given ``job_id`` makes the start repeatable: the same id is never made twice. ``within`` may add to
    the commit that makes a new job, or raise; it gets the documents at ``beside``, read with the rest.
    """

    def attempt() -> tuple[Job, bool]:
        pointer_path, wanted = _active_path(user_id, playlist_id), job_id or uuid4().hex
        pointer, existing, *others = documents.read(pointer_path, path(wanted), *beside)
        found = job_of(existing)
        if found is not None:
            return found, False
        if pointer.data is not None:
            current = read(pointer.data["job_id"])
            if current is not None and current.active:
                return current, False
        new = {"user_id": user_id, "playlist_id": playlist_id, "state": "queued", "created_at": clock.now()}
        commit = Commit().create(path(wanted), new)
        if pointer.data is None:
            commit.create(pointer_path, {"job_id": wanted})
        else:
            commit.update(pointer_path, {"job_id": wanted}, unchanged_since=pointer.update_time)
        within(commit, others)
        commit.run()
        made = job_of(Snapshot(path(wanted), new, None))
        assert made is not None
        return made, True

    return retried(attempt)


def begin_planning(job: Job, title: str, expected: int) -> Job:
    """`queued` → `planning`, with the title and a number of shards that suits the playlist."""
    unblocked = {"error": None, "blocked_until": None}
    changes = unblocked | {"state": "planning", "title": title[:300], "started_at": clock.now()}
    shards = max(1, min(_MAXIMUM_SHARDS, -(-expected // _VIDEOS_A_SHARD)))

    def decide(now: Job) -> dict[str, Any] | None:
        if now.state == "queued":
            # Entries of an earlier planning have their counters in the shards of then.
            return changes | {"shards": now.shards if now.listed else shards}
        return unblocked if now.state == "planning" and (now.error or now.blocked_until) else None

    return _change(job.job_id, decide) or job


def seal(job_id: str) -> None:
    """The playlist is listed to its end: the total is known, no entry is added any more."""

    def decide(now: Job) -> dict[str, Any] | None:
        sealed = {"state": "running", "total": now.listed, "error": None}
        return sealed if now.state == "planning" else None

    _change(job_id, decide)
    finish_if_settled(job_id)


def _change(job_id: str, decide: Callable[[Job], dict[str, Any] | None]) -> Job | None:
    """Changes a job unless ``decide`` answers None; answers the job as it is then."""

    def attempt() -> Job | None:
        job = read(job_id)
        changes = None if job is None else decide(job)
        if job is None or changes is None:
            return job
        commit = Commit().update(path(job_id), changes, unchanged_since=job.update_time)
        if changes.get("state", job.state) not in ACTIVE:
            commit.delete(_active_path(job.user_id, job.playlist_id))
        commit.run()
        return read(job_id)

    return retried(attempt)


def current(user_id: str, playlist_id: str) -> Job | None:
    """The job of a playlist that is not over, if there is one."""
    pointer = documents.read(_active_path(user_id, playlist_id))[0]
    job = read(pointer.data["job_id"]) if pointer.data else None
    return job if job is not None and job.active else None


def require_free(job: Job) -> None:
    """Raises Busy when the playlist has another job that is not over."""
    other = current(job.user_id, job.playlist_id)
    if other is not None and other.job_id != job.job_id:
        raise Busy("Another job of this playlist is not over yet: wait for it, or cancel it.")


def resume(job: Job, state: Literal["queued", "running"]) -> None:
    """Makes a job that is over active again.

    Raises:
        Busy: the playlist has another job that is not over.
    """

    def attempt() -> None:
        pointer_path = _active_path(job.user_id, job.playlist_id)
        now_snapshot, pointer = documents.read(path(job.job_id), pointer_path)
        now = job_of(now_snapshot)
        if now is None or now.active:
            return
        # Without started_at nothing is foretold: what was settled before says nothing of now.
        changes = {"state": state, "error": None, "finished_at": None, "started_at": None, "stalls": 0}
        commit = Commit().update(path(job.job_id), changes, unchanged_since=now.update_time)
        if pointer.data is None:
            commit.create(pointer_path, {"job_id": job.job_id})
        else:
            require_free(job)
            commit.update(pointer_path, {"job_id": job.job_id}, unchanged_since=pointer.update_time)
        commit.run()

    retried(attempt)


def settle(
    job: Job,
    entry: Entry,
    state: State,
    *,
    reason: str = "",
    reused: bool = False,
    youtube_bytes: int = 0,
    of_round: int | None = None,
) -> None:
    """Settles a video of a job, once, and ends the job if it was the last.

    ``youtube_bytes``: of the attempt that succeeded; those of failed attempts are in the entry.
    ``of_round``: only if the entry is still of that round.
    """

    current: Entry | None = entry

    def attempt() -> bool:
        nonlocal current
        seen, current = current, None
        if seen is None:
            seen = ledger.entry_of(documents.read(ledger.entry_path(job.job_id, entry.video_id))[0])
        if seen is None or seen.state != "pending" or of_round not in (None, seen.round):
            return False
        return ledger.settle(
            job.job_id,
            job.shards,
            seen,
            state,
            reason=reason,
            reused=reused,
            youtube_bytes=seen.youtube_bytes + youtube_bytes,
        )

    if retried(attempt):
        finish_if_settled(job.job_id)


def finish_if_settled(job_id: str) -> bool:
    """Ends a running job of which nothing is pending. True if it is over.

    `done` promises that everything is searchable: the library and the index are refreshed first.
    """

    def attempt() -> bool:
        job = read(job_id)
        if job is None or job.state != "running":
            return job is not None and not job.active
        counts = ledger.counts(job_id, job.shards)
        if counts.states["pending"] > 0:
            return False
        library.finish(
            job.user_id, job.playlist_id, job_id, counts.states["indexed"] + counts.states["no_transcript"]
        )
        search_index.refresh()
        commit = Commit().update(path(job_id), {"state": "done", **_over()}, unchanged_since=job.update_time)
        commit.delete(_active_path(job.user_id, job.playlist_id)).run()
        logs.info("job is done", job_id=job_id, counts=dict(counts.states))
        return True

    return retried(attempt)


def _over() -> dict[str, Any]:
    """What changes whenever a job ends: it waits for nothing any more."""
    return {"finished_at": clock.now(), "blocked_until": None, "paused_until": None}


def fail(job_id: str, reason: str) -> None:
    """Ends a job whose playlist cannot be listed; what is indexed stays.

    Not one that is listed already: a dead letter of the planner may come long after another delivery
    of the same succeeded.
    """
    failed = {"state": "failed", "error": reason, **_over()}
    _change(job_id, lambda now: failed if now.state in _LISTING else None)


def note(job_id: str, error: str, until: datetime | None = None) -> None:
    """Says on a job that is being listed what it waits for."""
    waiting = {"error": error, "blocked_until": until}
    _change(job_id, lambda now: waiting if now.state in _LISTING else None)


def pause(job_id: str, until: datetime) -> None:
    """Says on a job that YouTube refuses all our addresses until then."""

    def decide(now: Job) -> dict[str, Any] | None:
        said = now.paused_until is not None and abs(until - now.paused_until) < SAME_PAUSE
        return None if said or not now.active else {"paused_until": until}

    _change(job_id, decide)


def cancel(job_id: str) -> None:
    """Ends an active job; messages on their way are dropped when they arrive."""
    _change(job_id, lambda now: {"state": "cancelled", **_over()} if now.active else None)


def cancel_active(user_id: str, playlist_id: str) -> bool:
    """Cancels the active job of a playlist; whether there was one."""
    job = current(user_id, playlist_id)
    if job is not None:
        cancel(job.job_id)
    return job is not None


def publish(job: Job) -> None:
    """Hands the job to the planner. Raises Transient; the sweep publishes again what was not."""
    topics.publish("playlists", [PlaylistMessage(job.playlist_id, job.job_id, job.user_id)])


def recent(user_id: str, limit: int = 20) -> list[Job]:
    """The user's jobs, newest first."""
    found = documents.query(
        "jobs", ("user_id", "==", user_id), order_by="created_at", descending=True, limit=limit
    )
    return [job for job in map(job_of, found) if job is not None]


def active(user_id: str | None = None) -> list[Job]:
    """All jobs that are not over; only those of a user, if one is given."""
    whose = [("user_id", "==", user_id)] if user_id else []
    found = documents.query("jobs", *whose, ("state", "in", list(ACTIVE)))
    return [job for job in map(job_of, found) if job is not None]
