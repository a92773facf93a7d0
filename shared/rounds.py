"""Again: another round for what failed, and another message for what was lost."""

from __future__ import annotations

from typing import Literal

from shared import clock, jobs, ledger, topics
from shared.jobs import Job
from shared.messages import VideoMessage


def retry(job: Job) -> None:
    """Gives failed videos (and what a cancelled job left pending) another round.

    A job that never listed its playlist to the end is planned again. Nothing happens to an active one.

    Raises:
        Busy: the playlist has another job that is not over.
    """
    if job.active:
        return
    jobs.require_free(job)
    # Before the job: one that runs and of which nothing is pending may be ended by anybody at once.
    ledger.reopen_failed(job.job_id, job.shards)
    if job.total is None:
        jobs.resume(job, "queued")
        jobs.publish(job)
        return
    jobs.resume(job, "running")
    republish(job.job_id)
    jobs.finish_if_settled(job.job_id)


def republish(job_id: str, which: Literal["all", "stalled", "overdue"] = "all") -> int:
    """Publishes pending videos of a job again.

    ``all``; or those that are ``overdue``: parked ones whose time has come, and those whose next attempt
    has not come in time; or, in a ``stalled`` job, all but those that still wait for their next attempt.

    Returns:
        How many.
    """
    now = clock.now()
    late = now - ledger.LATE
    found = ledger.overdue(job_id, now) if which == "overdue" else ledger.entries(job_id, "pending")
    entries = [
        entry
        for entry in found
        if which == "all"
        or entry.next_attempt_at is None
        or entry.next_attempt_at <= (now if entry.parked else late)
    ]
    topics.publish("videos", [VideoMessage(job_id, entry.video_id, entry.round) for entry in entries])
    # This message is now what is waited for: else every sweep would send one more until the first arrives.
    ledger.postpone(job_id, [entry for entry in entries if entry.next_attempt_at is not None], now)
    return len(entries)
