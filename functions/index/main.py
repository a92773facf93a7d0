"""POST /api/index, /api/sources and /api/videos/{id}/fetch: start jobs and answer at once."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.declared import VideoId
from shared.errors import BadRequest, Busy, Full, NotFound, TooMany
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.channels import Channels
from shared.pipeline.job_views import JobStarted, started
from shared.pipeline.jobs import Job
from shared.pipeline.sources import Pasted, Sources, Taken
from shared.pipeline.start import NewJob, Start
from shared.web.routing import MAXIMUM_LIST, Routes
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


@routes.post("/api/index", status=(202, 200), raises=[NotFound, Busy, TooMany, Full])
def start_job(request: Request, caller: Caller, body: NewJob) -> tuple[JobStarted, int]:
    """Index a playlist, a channel or a collection.

    The answer comes at once: 202, or 200 with the active job of the same source, if there is one. With
    `again`, YouTube is asked again for the videos that you have in the library through this source, although
    they are stored: 429 beyond your share, and 409 while another job of the source is active. 507: a local
    run has no memory for more videos.
    """
    return _answer(*use_case.start(caller.user_id, body.playlist, again=body.again, channel=body.channel))


@routes.post("/api/sources", maximum_body=MAXIMUM_LIST, raises=[TooMany])
def add_sources(request: Request, caller: Caller, body: Pasted) -> Taken:
    """Index whatever a person pastes: playlists, channels and videos.

    Playlists are started, and channels of up to 500 videos; of a larger one, `choice` says what it would
    cost. Single videos go together into the collection "Saved videos". Each line says what it was taken for,
    or what to do instead.
    """
    return sources.add(caller.user_id, body.text)


@routes.post("/api/videos/<video_id>/fetch", status=(202, 200), raises=[BadRequest, Busy, TooMany, Full])
def fetch_video(request: Request, caller: Caller, video_id: VideoId) -> tuple[JobStarted, int]:
    """Ask YouTube again for one video of your library. 429 beyond your share."""
    return _answer(*use_case.fetch_again(caller.user_id, video_id))


def _answer(job: Job, new: bool) -> tuple[JobStarted, int]:
    return started(job), 202 if new else 200
