"""Publishes lost messages again and continues erasures. Only the scheduler calls it, never a browser."""

from __future__ import annotations

from dataclasses import asdict

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.accounts.erasure import Erasure
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.sweep import Sweep, SweepAsked, SweepDone
from shared.search.index.passages import PassageIndex
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.routing import Routes

config = startup.begin(
    "ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS"
)
db, server = Firestore(config), SearchServer(config)
index = SearchIndex(server)
use_case = Sweep(config, db, Topics(config), index, PassageIndex(server))
erasure = Erasure(db, index, Grants(db, Google(config), config))
routes = Routes(config, db)


@functions_framework.http
def sweep(request: Request) -> Response:
    return routes.dispatch(request)


# Not open to all: the platform admits only the scheduler's identity, and the gateway has no route here.
@routes.post("/", public=True)
def run(request: Request, caller: Caller, body: SweepAsked | None) -> SweepDone:
    """Publish lost messages again, and continue erasures."""
    swept = use_case.run(messages_lost=body is not None and body.messages_lost)
    return SweepDone(**asdict(swept), erasures=erasure.resume_all())
