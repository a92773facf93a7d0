"""Jobs. A job is one indexing of one playlist for one user, or of some videos of a playlist.

::

    queued → planning → running → done
       └────────┴──→ failed (with a reason)
       └────────┴──────────┴────→ cancelled
    retry: done, cancelled, failed → running (or queued, if the playlist was never listed to its end)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from shared import clock
from shared.errors import Busy
from shared.gcp.documents import Commit, Snapshot
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.library.packing import pack_ids, unpack_ids
from shared.messages import PlaylistMessage, is_id
from shared.pipeline import usage
from shared.pipeline.ledger import Ledger
from shared.pipeline.quotas import Quota, starts_path, with_job

JobState = Literal["queued", "planning", "running", "done", "failed", "cancelled"]
LISTING: tuple[JobState, ...] = ("queued", "planning")
ACTIVE: tuple[JobState, ...] = (*LISTING, "running")
_IS_ACTIVE = ("state", "in", list(ACTIVE))
#: Videos for each counter shard. With at most 64 shards, a job of 5,000 videos writes each about 80 times.
_VIDEOS_PER_SHARD = 50
_MAXIMUM_SHARDS = 64
#: Two pauses that end so close to each other are the same pause.
SAME_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is stored.

    ``listed``: entries in the ledger so far; ``total``: the same number once the list is complete.
    ``blocked_until``: when the YouTube quota is renewed. ``paused_until``: until when YouTube refuses all our
    addresses. ``stalls``: how often in a row the sweep has published the job's messages again in vain.
    ``sent_again``: how often its dead letter was published again. ``booked_…``: what of its cost was booked.
    ``again_ids``: videos about which YouTube is asked although they are stored; the user's share was charged
    for them. ``video_ids``: the only videos of the job; empty for the whole playlist. ``scheduled``: no
    person waits for it. ``channel``: what of a channel is listed; None: as it was chosen before.
    ``new_only``: of a collection, only what was never looked at. ``extended``: how often it grew meanwhile.
    ``final``: the sums of its counters when it was done (shared.pipeline.job_views.counts).
    """

    job_id: str
    user_id: str
    playlist_id: str
    state: JobState
    created_at: datetime
    title: str = ""
    shards: int = 1
    listed: int = 0
    total: int | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    blocked_until: datetime | None = None
    paused_until: datetime | None = None
    error: str | None = None
    stalls: int = 0
    again_ids: frozenset[str] = frozenset()
    sent_again: int = 0
    video_ids: tuple[str, ...] = ()
    scheduled: bool = False
    channel: Mapping[str, Any] | None = None
    new_only: bool = False
    extended: int = 0
    final: Mapping[str, int] | None = None
    booked_bytes: int = 0
    booked_units: int = 0
    update_time: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether the job lists its playlist."""
        return not self.video_ids

    @property
    def active(self) -> bool:
        return self.state in ACTIVE

    @property
    def again(self) -> bool:
        """Whether the job fetches videos again."""
        return bool(self.again_ids)

    @property
    def message(self) -> PlaylistMessage:
        """The message that hands the job to the planner."""
        return PlaylistMessage(self.playlist_id, self.job_id, self.user_id)


def job_path(job_id: str) -> str:
    return f"jobs/{job_id}"


def _active_path(user_id: str, playlist_id: str, video_ids: Sequence[str]) -> str:
    """The document that names the active job of a playlist, or of some of its videos. It allows only one."""
    several = len(video_ids) > 1
    which = hashlib.sha256(" ".join(video_ids).encode()).hexdigest()[:32] if several else "".join(video_ids)
    return f"active_jobs/{user_id}:{playlist_id}" + (f":{which}" if which else "")


def job_from(snapshot: Snapshot) -> Job | None:
    """None when there is no such job."""
    data = snapshot.data or {}
    # Older documents have one id, or none.
    video_ids = unpack_ids(data.get("video_ids")) or tuple(filter(None, [data.get("video_id")]))
    return snapshot.read_as(
        Job,
        job_id=snapshot.id,
        update_time=snapshot.update_time,
        again_ids=frozenset(unpack_ids(data.get("again_ids"))),
        video_ids=video_ids,
    )


class Jobs:
    """All jobs, and the steps between their states."""

    def __init__(self, db: Firestore) -> None:
        self._db = db
        self._ledger = Ledger(db)

    def read(self, job_id: str) -> Job | None:
        """None when there is no such job, or when no job can have such an id."""
        return job_from(self._db.read(job_path(job_id))[0]) if is_id(job_id) else None

    def current(self, user_id: str, playlist_id: str, video_ids: Sequence[str] = ()) -> Job | None:
        """The active job of a playlist, or of these videos of it, if there is one."""
        pointer = self._db.read(_active_path(user_id, playlist_id, video_ids))[0]
        job = self.read(pointer.data["job_id"]) if pointer.data else None
        return job if job is not None and job.active else None

    def recent(self, user_id: str, limit: int = 20) -> list[Job]:
        """The user's jobs, newest first."""
        whose = ("user_id", "==", user_id)
        found = self._db.query("jobs", whose, order_by="created_at", descending=True, limit=limit)
        return [job for job in map(job_from, found) if job is not None]

    def active(self, user_id: str | None = None) -> list[Job]:
        """All active jobs, or those of one user."""
        whose = [("user_id", "==", user_id)] if user_id else []
        found = self._db.query("jobs", *whose, _IS_ACTIVE)
        return [job for job in map(job_from, found) if job is not None]

    def still_active(self, user_id: str, job_ids: Sequence[str] | None = None) -> list[str]:
        """The ids of the active jobs among these, or among all of the user. Scheduled ones do not count."""
        if job_ids is None:
            return [job.job_id for job in self.active(user_id) if not job.scheduled]
        found = self._db.read(*map(job_path, job_ids), fields=["state", "scheduled"])
        known = [(each.id, each.data) for each in found if each.data]
        return [name for name, data in known if data["state"] in ACTIVE and not data.get("scheduled")]

    def start(
        self,
        user_id: str,
        playlist_id: str,
        job_id: str | None = None,
        *,
        quota: Quota | None = None,
        again: Collection[str] = (),
        video_ids: Sequence[str] = (),
        schedule: Callable[[], Commit] | None = None,
        chosen: Mapping[str, Any] | None = None,
    ) -> tuple[Job, bool]:
        """The active job of this user and playlist (and videos) and False, or a new job and True.

        ``job_id`` makes the call repeatable: one id is never made twice. ``quota``: what a new job is
        charged to; None for jobs that no person starts. ``again``: the videos that the job fetches again.
        ``schedule``: makes the commit with which a scheduled job is stored; what it raises is raised.
        ``chosen``: what of the source is listed: the fields ``channel`` and ``new_only`` of the job.

        Raises:
            Busy: the active job does not fetch again.
            TooMany, Full: the quota is used up; there is no room for more videos.
        """

        def attempt() -> tuple[Job, bool]:
            pointer_path, new_id = _active_path(user_id, playlist_id, video_ids), job_id or uuid4().hex
            paths = [pointer_path, job_path(new_id)] + ([quota.path] if quota else [])
            pointer, existing, *starts = self._db.read(*paths)
            if (found := job_from(existing)) is not None:
                return found, False
            if pointer.data is not None:
                current = self.read(pointer.data["job_id"])
                if current is not None and current.active:
                    if again and not current.again:
                        raise Busy("This playlist is being indexed. Wait until that is done, then try again.")
                    return current, False
            self._db.room.require()
            data: dict[str, Any] = {"user_id": user_id, "playlist_id": playlist_id, **(chosen or {})}
            data |= {"state": "queued", "created_at": clock.now(), "scheduled": schedule is not None}
            packed = {"again_ids": again, "video_ids": video_ids}
            data |= {name: pack_ids(ids) for name, ids in packed.items() if ids}
            commit = (schedule or self._db.commit)().create(job_path(new_id), data)
            commit.put(pointer, {"job_id": new_id})
            if quota:
                commit.put(starts[0], self.charge(quota, starts[0], new_id, len(again)))
            usage.book_start(commit, user_id)
            commit.run()
            job = job_from(Snapshot(job_path(new_id), data, None))
            assert job is not None
            return job, True

        return retry_on_conflict(attempt)

    def charge(self, quota: Quota, starts: Snapshot, job_id: str, again: int = 0) -> dict[str, Any]:
        """See :meth:`shared.pipeline.quotas.Quota.spend`."""
        return quota.spend(starts, job_id, partial(self.still_active, quota.user_id), again)

    def begin_planning(self, job: Job, title: str, expected: int) -> Job:
        """`queued` → `planning`, with a title and with shards for ``expected`` videos. The job after that."""
        unblocked = {"error": None, "blocked_until": None}
        changes = unblocked | {"state": "planning", "title": title[:300], "started_at": clock.now()}
        shards = max(1, min(_MAXIMUM_SHARDS, -(-expected // _VIDEOS_PER_SHARD)))

        def decide(now: Job) -> dict[str, Any] | None:
            if now.state == "queued":
                # Entries of an earlier planning are counted in the shards of that planning.
                return changes | {"shards": now.shards if now.listed else shards}
            return unblocked if now.state == "planning" and (now.error or now.blocked_until) else None

        return self._change(job.job_id, decide) or job

    def seal(self, job_id: str, extended: int = 0) -> None:
        """`planning` → `running`: the playlist is listed to its end, so the total is known.

        ``extended``: of the job before listing began. A job that was extended since is listed once more.
        """

        def decide(now: Job) -> dict[str, Any] | None:
            is_listed = now.state == "planning" and now.extended == extended
            return {"state": "running", "total": now.listed, "error": None} if is_listed else None

        self._change(job_id, decide)

    def complete(self, job: Job, final: Mapping[str, int]) -> None:
        """`running` → `done`, of a job with these counts. Only :mod:`shared.pipeline.completion` calls this.

        Raises:
            Conflict: the job has changed since it was read.
        """
        self._end(job, {"state": "done", "final": final, **_over()}, final["youtube_bytes"])

    def fail(self, job_id: str, reason: str) -> None:
        """Ends a job whose playlist cannot be listed. Videos that are indexed stay.

        A job that is listed already goes on: a dead letter of the planner may come long after another
        delivery of the same message succeeded.
        """
        failed = {"state": "failed", "error": reason, **_over()}
        self._change(job_id, lambda now: failed if now.state in LISTING else None)

    def cancel(self, job_id: str) -> None:
        """Ends an active job. Messages that are on their way are dropped when they arrive."""
        self._change(job_id, lambda now: {"state": "cancelled", **_over()} if now.active else None)

    def note_waiting(self, job_id: str, error: str, until: datetime | None = None) -> None:
        """Says on a job that is being listed what it waits for, and until when."""
        waiting = {"error": error, "blocked_until": until}
        self._change(job_id, lambda now: waiting if now.state in LISTING else None)

    def note_pause(self, job_id: str, until: datetime) -> None:
        """Says on a job that YouTube refuses all our addresses until then."""

        def decide(now: Job) -> dict[str, Any] | None:
            known = now.paused_until is not None and abs(until - now.paused_until) < SAME_PAUSE
            return {"paused_until": until} if now.active and not known else None

        self._change(job_id, decide)

    def touch(self, job: Job, commit: Commit | None = None, **changes: object) -> Job:
        """Changes a job for the sweep, which then waits before it looks again. The job after that.

        ``commit``: further writes, which are made together with the change. Raises Conflict when the job has
        changed since it was read.
        """
        changes = {"swept_at": clock.now(), **changes}
        commit = commit or self._db.commit()
        commit.update(job_path(job.job_id), changes, unchanged_since=job.update_time).run()
        return self.read(job.job_id) or job

    def require_free(self, job: Job) -> None:
        """Raises Busy when the playlist has another active job."""
        other = self.current(job.user_id, job.playlist_id, job.video_ids)
        if other is not None and other.job_id != job.job_id:
            raise Busy("This playlist is being indexed by another job. Wait for it, or cancel it.")

    def resume(self, job: Job, state: Literal["queued", "running"], quota: Quota | None = None) -> None:
        """Makes an ended job active again. Raises Busy as :meth:`require_free`, TooMany as :meth:`charge`."""

        def attempt() -> None:
            pointer_path = _active_path(job.user_id, job.playlist_id, job.video_ids)
            paths = job_path(job.job_id), pointer_path, starts_path(job.user_id)
            snapshot, pointer, starts = self._db.read(*paths)
            now = job_from(snapshot)
            if now is None or now.active:
                return
            if pointer.data is not None:
                self.require_free(job)
            # Without started_at there is no estimate, because what was settled before says nothing about now.
            data = dict.fromkeys(("error", "finished_at", "started_at")) | {"stalls": 0, "sent_again": 0}
            commit = self._db.commit().put(pointer, {"job_id": job.job_id})
            commit.update(job_path(job.job_id), data | {"state": state}, unchanged_since=now.update_time)
            if not now.scheduled:
                still, most = partial(self.still_active, job.user_id), quota.at_once if quota else None
                commit.put(starts, {"jobs": with_job(starts, job.job_id, still, most)})
            commit.run()

        retry_on_conflict(attempt)

    def _change(self, job_id: str, decide: Callable[[Job], dict[str, Any] | None]) -> Job | None:
        """Changes a job as ``decide`` says, unless it says None. The job after that."""

        def attempt() -> Job | None:
            job = self.read(job_id)
            changes = None if job is None else decide(job)
            if job is None or changes is None:
                return job
            if changes.get("state", job.state) in ACTIVE:
                self._db.commit().update(job_path(job_id), changes, unchanged_since=job.update_time).run()
            else:
                self._end(job, changes, self._ledger.counts(job_id, job.shards).youtube_bytes)
            return self.read(job_id)

        return retry_on_conflict(attempt)

    def _end(self, job: Job, changes: dict[str, Any], youtube_bytes: int) -> None:
        commit = self._db.commit()
        changes = changes | usage.book_end(commit, job, youtube_bytes)
        commit.update(job_path(job.job_id), changes, unchanged_since=job.update_time)
        commit.delete(_active_path(job.user_id, job.playlist_id, job.video_ids)).run()


def _over() -> dict[str, Any]:
    """The changes of every job that ends: it waits for nothing any more."""
    return {"finished_at": clock.now(), "blocked_until": None, "paused_until": None}
