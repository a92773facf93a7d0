"""The sweep: publishes again what was lost or has come due, and ends jobs whose last step died.

A message can get lost between a commit and its publish, or with Pub/Sub's memory (the emulator
forgets all when it restarts). Jobs that move are left alone: their messages are on their way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import clock, config, jobs, ledger, logs, rounds
from shared.documents import Commit
from shared.errors import Transient
from shared.jobs import Job

#: A job that stalls again waits twice as long, so often at most: while Elasticsearch or YouTube is away,
#: its messages are not lost but given back, and each sweep would only add as many again.
_DOUBLINGS = 4


@dataclass(slots=True)
class Swept:
    """What a sweep did: jobs looked at, handed to the planner again, ended; videos published again."""

    jobs: int = 0
    planned_again: int = 0
    ended: int = 0
    videos_published: int = 0
    troubles: int = 0


def run(*, messages_lost: bool = False) -> Swept:
    """Looks at every job that is not over.

    ``messages_lost``: Pub/Sub has forgotten its messages; nothing is on its way, whatever moved last.
    """
    swept = Swept()
    stalled = timedelta(seconds=config.load().stalled_after_seconds)
    for job in jobs.active():
        swept.jobs += 1
        with logs.context(job_id=job.job_id):
            try:
                _sweep(job, swept, stalled, messages_lost=messages_lost)
            except Transient as error:
                # One job's trouble is not another's; the next sweep comes soon.
                swept.troubles += 1
                logs.warning("a job could not be swept", reason=str(error), detail=error.detail)
    return swept


def _sweep(job: Job, swept: Swept, stalled: timedelta, *, messages_lost: bool) -> None:
    now = clock.now()

    def still(moved: datetime | None, stalls: int = 0) -> bool:
        return messages_lost or moved is None or now - moved >= stalled * 2**stalls

    if job.state != "running":
        if job.blocked_until <= now if job.blocked_until else still(job.update_time):
            # A quota that was waited for is asked again; until then the job says what it waits for.
            job = _touch(job, {"blocked_until": None})
            jobs.publish(job)
            swept.planned_again += 1
        if job.state == "queued":
            return
    counts = ledger.counts(job.job_id, job.shards)
    if counts.states["pending"] == 0:
        swept.ended += jobs.finish_if_settled(job.job_id)
        return
    # Nothing is lost of a job that waits for YouTube to let us in.
    moved = max(time for time in (job.update_time, counts.changed_at, job.paused_until) if time)
    stalls = job.stalls if moved == job.update_time else 0
    if still(moved, stalls):
        _touch(job, {"stalls": 0 if messages_lost else min(stalls + 1, _DOUBLINGS)})
        published = rounds.republish(job.job_id, "all" if messages_lost else "stalled")
    else:
        published = rounds.republish(job.job_id, "overdue")
    swept.videos_published += published
    if published:
        logs.info("videos published again", videos=published)


def _touch(job: Job, changes: Mapping[str, object]) -> Job:
    """Moves the time of the job's last change: the next sweep waits as long again. The job as it is then."""
    changes = {"swept_at": clock.now(), **changes}
    Commit().update(jobs.path(job.job_id), changes, unchanged_since=job.update_time).run()
    return jobs.read(job.job_id) or job
