"""Jobs as HTTP shows them."""

from __future__ import annotations

from typing import Any

from shared import clock, ledger
from shared.jobs import Job


def view(job: Job) -> dict[str, Any]:
    """As `GET /api/jobs/{id}` answers it."""
    counts = ledger.counts(job.job_id, job.shards)
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
        "error": job.error,
    }


def brief(job: Job) -> dict[str, Any]:
    """As `GET /api/playlists` shows the job that is going on."""
    counts = ledger.counts(job.job_id, job.shards)
    return {"job_id": job.job_id, "state": job.state, "total": job.total, "counts": dict(counts.states)}
