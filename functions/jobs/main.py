"""/api/jobs: the caller's jobs, their videos, retry and cancel."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.declared import JobId
from shared.errors import BadRequest, Busy, Full, NotFound, TooMany
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.messages import is_id
from shared.pipeline import job_views
from shared.pipeline.job_views import JobList, JobsAsked, JobVideos, JobVideosAsked, JobView
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.pipeline.quotas import Quota
from shared.pipeline.retry import Retry
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db, topics = Firestore(config), Topics(config)
all_jobs, ledger = Jobs(db), Ledger(db)
retry = Retry(db, topics, SearchIndex(SearchServer(config)))
routes = Routes(config, db)


@functions_framework.http
def jobs(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/jobs")
def list_jobs(request: Request, caller: Caller, query: JobsAsked) -> JobList:
    """Your recent jobs."""
    return {"jobs": [_view(job) for job in all_jobs.recent(caller.user_id, query.limit)]}


@routes.get("/api/jobs/<job_id>")
def show_job(request: Request, caller: Caller, job_id: JobId) -> JobView:
    """A job, and how far it is."""
    return _view(_job_of(caller, job_id))


@routes.get("/api/jobs/<job_id>/videos")
def list_job_videos(request: Request, caller: Caller, job_id: JobId, query: JobVideosAsked) -> JobVideos:
    """The videos of a job, or those in one state."""
    job = _job_of(caller, job_id)
    if query.cursor is not None and not is_id(query.cursor):
        raise BadRequest("cursor: expected the cursor of the page before.")
    found = list(ledger.entries(job.job_id, query.state, after=query.cursor, limit=query.limit))
    return {
        "videos": [job_views.entry_view(entry) for entry in found],
        "cursor": found[-1].video_id if len(found) == query.limit else None,
    }


@routes.post("/api/jobs/<job_id>/retry", raises=[Busy, TooMany, Full])
def retry_job(request: Request, caller: Caller, job_id: JobId) -> JobView:
    """Try the failed videos of a job again.

    A cancelled job goes on. 404 if the job is of a single video that left the library, 409 while another job
    of the source is active, 429 beyond your quota, 507 while a local run has no memory for more.
    """
    retry.retry(_job_of(caller, job_id), Quota.for_user(caller.user_id, config))
    return _view(_job_of(caller, job_id))


@routes.post("/api/jobs/<job_id>/cancel")
def cancel_job(request: Request, caller: Caller, job_id: JobId) -> JobView:
    """Cancel a job. What it has indexed stays."""
    all_jobs.cancel(_job_of(caller, job_id).job_id)
    return _view(_job_of(caller, job_id))


def _job_of(caller: Caller, job_id: str) -> Job:
    """Raises NotFound for a job of another user, as if it did not exist."""
    job = all_jobs.read(job_id)
    if job is None or job.user_id != caller.user_id:
        raise NotFound("There is no such job.")
    return job


def _view(job: Job) -> JobView:
    return job_views.view(job, job_views.counts(job, ledger), db.room.lack())
