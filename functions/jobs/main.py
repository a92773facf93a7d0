"""/api/jobs: the caller's jobs, their videos, retry and cancel."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import ledger, limits
from shared.auth import Caller
from shared.errors import BadRequest, NotFound
from shared.http import Routes, limit_of
from shared.job_views import view
from shared.jobs import Job, cancel, read, recent
from shared.messages import is_id

routes = Routes()


@functions_framework.http
def jobs(request: Request) -> Response:
    return routes.dispatch(request)


def _own(caller: Caller, job_id: str) -> Job:
    job = read(job_id)
    if job is None or job.user_id != caller.user_id:
        raise NotFound("There is no such job.")
    return job


@routes.add("GET", "/api/jobs")
def all_recent(request: Request, caller: Caller) -> dict[str, Any]:
    return {"jobs": [view(job) for job in recent(caller.user_id, limit_of(request, 20, 100))]}


@routes.add("GET", "/api/jobs/<job_id>")
def one(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    return view(_own(caller, job_id))


@routes.add("GET", "/api/jobs/<job_id>/videos")
def videos(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    job = _own(caller, job_id)
    state = request.args.get("state") or None
    if state is not None and state not in ledger.STATES:
        raise BadRequest(f"state: expected one of {', '.join(ledger.STATES)}, found {state[:40]!r}.")
    cursor = request.args.get("cursor") or None
    if cursor is not None and not is_id(cursor):
        raise BadRequest("cursor: expected the cursor of the page before.")
    limit = limit_of(request, 100, 500)
    found = list(ledger.entries(job.job_id, state, after=cursor, limit=limit))
    return {
        "videos": [ledger.view(entry) for entry in found],
        "cursor": found[-1].video_id if len(found) == limit else None,
    }


@routes.add("POST", "/api/jobs/<job_id>/retry")
def retry_failed(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    limits.retry(_own(caller, job_id))
    return view(_own(caller, job_id))


@routes.add("POST", "/api/jobs/<job_id>/cancel")
def cancel_one(request: Request, caller: Caller, job_id: str) -> dict[str, Any]:
    cancel(_own(caller, job_id).job_id)
    return view(_own(caller, job_id))
