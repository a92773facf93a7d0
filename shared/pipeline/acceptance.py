"""Which stored answers of YouTube a job takes, so that YouTube is not asked again."""

from __future__ import annotations

from datetime import timedelta

from shared import clock
from shared.pipeline.jobs import Job
from shared.transcripts.store import Outcome
from shared.transcripts.videos import METADATA_AGE, UNATTENDED_AGE, Metadata

#: An answer "not yet" that is so old when a job starts is asked for again.
_LATELY = timedelta(seconds=30)


def accepts(job: Job, video_id: str, outcome: Outcome) -> bool:
    """Whether the stored outcome of a video answers this job.

    Nothing is written down about it: an answer that came after the job was made is the one that the job
    wanted, whichever delivery, worker or job has asked.
    """
    if outcome.job_id == job.job_id:
        return True
    if video_id in job.again_ids:
        return outcome.checked_at >= job.created_at
    # Who starts a job wants to know whether the premiere has begun.
    asked_lately = not outcome.not_yet or outcome.checked_at >= job.created_at - _LATELY
    return outcome.fresh and (asked_lately or job.scheduled)


def accepts_metadata(job: Job, metadata: Metadata) -> bool:
    """As :func:`accepts`, for the metadata of a video that YouTube shows (again)."""
    if metadata.gone_at is not None:
        return False
    if metadata.video_id in job.again_ids:
        return metadata.fetched_at >= job.created_at
    # What is not over yet has no duration.
    patient = job.scheduled and metadata.duration_seconds
    return clock.now() - metadata.fetched_at <= (UNATTENDED_AGE if patient else METADATA_AGE)
