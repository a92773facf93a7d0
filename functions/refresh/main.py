"""Looks for changes in libraries, and starts jobs for them. Only the scheduler calls it, never a browser."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Auth, Caller
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.refresh import Refreshed, Refreshing
from shared.web.routing import Routes
from shared.youtube.data_api import DataApi

config = startup.begin(
    "YOUTUBE_API_KEY", "GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS"
)
db, topics = Firestore(config), Topics(config)
grants = Grants(db, Google(config), config)
use_case = Refreshing(config, db, topics, DataApi(config), grants, Auth(config, db).admits)
routes = Routes(config, db)


@functions_framework.http
def refresh(request: Request) -> Response:
    return routes.dispatch(request)


# Not open to all: the platform admits only the scheduler's identity, and the gateway has no route here.
@routes.post("/", public=True)
def run(request: Request, caller: Caller) -> Refreshed:
    """Look for changes."""
    return use_case.run()
