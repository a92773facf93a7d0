"""Jobs as HTTP shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, TypedDict

from msgspec import Meta, Struct

from shared import clock
from shared.declared import Cursor, JobId, NextCursor, PlaylistId, Time, VideoId
from shared.pipeline.jobs import LISTING, Job, JobState
from shared.pipeline.ledger import Counts, Entry, Ledger, VideoState


class JobView(TypedDict):
    """A job: the indexing of one source, or of some of its videos.

    - `total`: videos, once the source is listed; from then on the `counts` sum to it
    - `video_id`: the video, if the job is about one only; `whole`: it is about all of them
    - `again`: YouTube is asked also for what is stored; `scheduled`: no person waits for it
    - `reused`: videos whose captions were known already; `youtube_bytes`: received from YouTube
    - `blocked_until`: YouTube takes no requests until then, and the job waits
    """

    job_id: JobId
    playlist_id: PlaylistId
    video_id: VideoId | None
    whole: bool
    scheduled: bool
    again: bool
    title: str | None
    state: JobState
    total: Annotated[int, Meta(examples=[12])] | None
    counts: Mapping[VideoState, int]
    reused: int
    youtube_bytes: int
    created_at: Time
    finished_at: Time | None
    eta_seconds: int | None
    blocked_until: Time | None
    error: str | None


class JobBrief(TypedDict):
    """The active job of a source."""

    job_id: JobId
    state: JobState
    total: int | None
    counts: Mapping[VideoState, int]


class JobVideo(TypedDict):
    """A video of a job. `reason`: why it is in this state. `attempts`: failed ones so far."""

    video_id: VideoId
    title: str
    state: VideoState
    reason: str | None
    attempts: int
    next_attempt_at: Time | None


class JobsAsked(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class JobList(TypedDict):
    """Jobs, the latest first."""

    jobs: list[JobView]


class JobVideosAsked(Struct):
    state: VideoState | None = None
    cursor: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class JobVideos(TypedDict):
    """A page of videos, by their ids."""

    videos: list[JobVideo]
    cursor: NextCursor


class JobStarted(TypedDict):
    """Follow the job at `status_url` until its `state` is done, failed or cancelled."""

    job_id: JobId
    playlist_id: PlaylistId
    status_url: Annotated[str, Meta(examples=["/api/jobs/00aa11bb00aa11bb00aa11bb00aa11bb"])]


def started(job: Job) -> JobStarted:
    """As `POST /api/index` answers it."""
    return {"job_id": job.job_id, "playlist_id": job.playlist_id, "status_url": status_url(job)}


def counts(job: Job, ledger: Ledger) -> Counts:
    """The counts of a job. One that is done has them: it may have 64 counters, and a page shows 20 jobs."""
    if job.state == "done" and job.final:
        return Counts.from_json(job.final)
    return ledger.counts(job.job_id, job.shards)


def view(job: Job, counts: Counts, lack: str | None = None) -> JobView:
    """A job as `GET /api/jobs/{id}` answers it. ``lack``: why nothing more can be stored now."""
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
        "error": lack if lack and job.active else _error(job, now),
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


def brief(job: Job, counts: Counts) -> JobBrief:
    """An active job as `GET /api/playlists` shows it."""
    return {"job_id": job.job_id, "state": job.state, "total": job.total, "counts": dict(counts.states)}


def entry_view(entry: Entry) -> JobVideo:
    """An entry as `GET /api/jobs/{id}/videos` shows it."""
    return {
        "video_id": entry.video_id,
        "title": entry.title,
        "state": entry.state,
        "reason": entry.reason or None,
        "attempts": entry.attempts,
        "next_attempt_at": clock.rfc3339(entry.next_attempt_at),
    }
