"""Jobs as HTTP shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared import clock
from shared.pipeline.jobs import LISTING, Job
from shared.pipeline.ledger import Counts


def view(job: Job, counts: Counts) -> dict[str, Any]:
    """A job as `GET /api/jobs/{id}` answers it."""
    now, eta = clock.now(), None
    blocked = max((time for time in (job.blocked_until, job.paused_until) if time), default=None)
    if blocked is not None and blocked <= now:
        blocked = None
    if job.state == "running" and job.started_at and counts.settled:
        elapsed = (now - job.started_at).total_seconds()
        waiting = (blocked - now).total_seconds() if blocked else 0.0
        eta = round(waiting + elapsed / counts.settled * counts.states["pending"])
    return {
        "job_id": job.job_id,
        "playlist_id": job.playlist_id,
        "video_id": job.video_ids[0] if len(job.video_ids) == 1 else None,
        "whole": job.whole,
        "scheduled": job.scheduled,
        "again": job.again,
        "title": job.title or None,
        "state": job.state,
        "total": job.total,
        "counts": dict(counts.states),
        "reused": counts.reused,
        "youtube_bytes": counts.youtube_bytes,
        "created_at": clock.rfc3339(job.created_at),
        "finished_at": clock.rfc3339(job.finished_at),
        "eta_seconds": eta,
        "blocked_until": clock.rfc3339(blocked),
        "error": _error(job, now),
    }


def _error(job: Job, now: datetime) -> str | None:
    """The error of a job. While the job waits for a retry, it says so."""
    if job.active and job.blocked_until is not None and job.blocked_until <= now:
        # The wait that it speaks of is over.
        return None
    retried = job.state in LISTING and job.blocked_until is None
    return f"{job.error} It will be retried." if job.error and retried else job.error


def status_url(job: Job) -> str:
    """Where the job is shown."""
    return f"/api/jobs/{job.job_id}"


def brief(job: Job, counts: Counts) -> dict[str, Any]:
    """An active job as `GET /api/playlists` shows it."""
    return {"job_id": job.job_id, "state": job.state, "total": job.total, "counts": dict(counts.states)}
