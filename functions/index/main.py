"""POST /api/index: starts a job, publishes it, answers at once."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import jobs, limits, logs, youtube
from shared.auth import Caller
from shared.errors import BadRequest, Transient
from shared.http import Routes, body_of
from shared.playlist_ids import playlist_id_of

routes = Routes()


@functions_framework.http
def index(request: Request) -> Response:
    return routes.dispatch(request)


@routes.add("POST", "/api/index")
def start(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    playlist_id = playlist_id_of(body_of(request).get("playlist"))
    if youtube.refused(playlist_id):
        raise BadRequest(youtube.WATCH_LATER)
    job, new = limits.start(caller.user_id, playlist_id)
    if new:
        try:
            jobs.publish(job)
        except Transient as error:
            # The job is stored, so it is not lost: the sweep publishes it.
            logs.warning("job not published yet", job_id=job.job_id, reason=str(error), detail=error.detail)
    answer = {"job_id": job.job_id, "playlist_id": job.playlist_id, "status_url": f"/api/jobs/{job.job_id}"}
    return answer, 202 if new else 200
