"""/api/jobs: the caller's jobs, their videos, retry and cancel."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.errors import BadRequest, NotFound
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.messages import is_id
from shared.pipeline import job_views
from shared.pipeline import ledger as entries
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.ledger import Ledger
from shared.pipeline.quotas import Quota
from shared.pipeline.retry import Retry
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.requests import choice_of, limit_of
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
def list_recent(request: Request, caller: Caller) -> dict[str, Any]:
    recent = all_jobs.recent(caller.user_id, limit_of(request, 20, 100))
    return {"jobs": [_view(job) for job in recent]}


@routes.get("/api/jobs/<job_id>")
def show(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    return _view(_job_of(caller, job_id))


@routes.get("/api/jobs/<job_id>/videos")
def list_videos(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    job = _job_of(caller, job_id)
    state = choice_of(request, "state", entries.STATES)
    cursor = request.args.get("cursor") or None
    if cursor is not None and not is_id(cursor):
        raise BadRequest("cursor: expected the cursor of the page before.")
    limit = limit_of(request, 100, 500)
    found = list(ledger.entries(job.job_id, state, after=cursor, limit=limit))
    return {
        "videos": [entries.view(entry) for entry in found],
        "cursor": found[-1].video_id if len(found) == limit else None,
    }


@routes.post("/api/jobs/<job_id>/retry")
def retry_failed(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    retry.retry(_job_of(caller, job_id), Quota.for_user(caller.user_id, config))
    return _view(_job_of(caller, job_id))


@routes.post("/api/jobs/<job_id>/cancel")
def cancel(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    all_jobs.cancel(_job_of(caller, job_id).job_id)
    return _view(_job_of(caller, job_id))


def _job_of(caller: Caller, job_id: str) -> Job:
    """Raises NotFound for a job of another user, as if it did not exist."""
    job = all_jobs.read(job_id)
    if job is None or job.user_id != caller.user_id:
        raise NotFound("There is no such job.")
    return job


def _view(job: Job) -> dict[str, Any]:
    return job_views.view(job, ledger.counts(job.job_id, job.shards))
