"""/api/health: the version, search by meaning, and whether the dependencies answer.

/api/openapi.json and /api/docs: what this API is.
"""

from __future__ import annotations

from functools import partial

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.meaning.store import by_meaning
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.docs import add_routes as add_docs_routes
from shared.web.health import Health, HealthView
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL")
db = Firestore(config)


def ping_firestore(timeout: float) -> None:
    """Raises when it does not answer, or has no room for more."""
    db.ping(timeout)
    db.room.require()


state = Health(
    {
        "firestore": ping_firestore,
        "pubsub": Topics(config).ping,
        "elasticsearch": SearchIndex(SearchServer(config)).ping,
    },
    partial(by_meaning, db, config.embedder),
)
routes = Routes(config, db)
add_docs_routes(routes)


@functions_framework.http
def health(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/health", public=True, status=(200, 503))
def check_health(request: Request, caller: Caller) -> tuple[HealthView, int]:
    """Whether this service works: its version, and each dependency, `ok` or what is wrong.

    The status is 503 when a dependency does not answer.
    """
    found = state.check()
    return found, 200 if found["status"] == "ok" else 503
