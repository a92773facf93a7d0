"""POST /api/index, /api/sources and /api/videos/{id}/fetch: start jobs and answer at once."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.channels import Channels
from shared.pipeline.job_views import status_url
from shared.pipeline.jobs import Job
from shared.pipeline.sources import Sources
from shared.pipeline.start import Start
from shared.web.requests import MAXIMUM_LIST, body_of, flag_of
from shared.web.routing import Routes
from shared.youtube.data_api import DataApi

config = startup.begin("GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL", "YOUTUBE_API_KEY")
db, topics = Firestore(config), Topics(config)
channels = Channels(config, db, DataApi(config))
use_case = Start(config, db, topics, channels)
sources = Sources(use_case, channels)
routes = Routes(config, db)


@functions_framework.http
def index(request: Request) -> Response:
    return routes.dispatch(request)


@routes.post("/api/index")
def start(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    body = body_of(request)
    again = flag_of(body, "again")
    channel = body.get("channel")
    return _answer(*use_case.start(caller.user_id, body.get("playlist"), again=again, channel=channel))


@routes.post("/api/sources", maximum_body=MAXIMUM_LIST)
def add_sources(request: Request, caller: Caller) -> dict[str, Any]:
    return sources.add(caller.user_id, body_of(request).get("text"))


@routes.post("/api/videos/<video_id>/fetch")
def fetch_again(request: Request, caller: Caller, video_id: str) -> tuple[dict[str, Any], int]:
    return _answer(*use_case.fetch_again(caller.user_id, video_id))


def _answer(job: Job, new: bool) -> tuple[dict[str, Any], int]:
    answer = {"job_id": job.job_id, "playlist_id": job.playlist_id, "status_url": status_url(job)}
    return answer, 202 if new else 200
