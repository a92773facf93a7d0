"""GET /api/health: the version, search by meaning, and each dependency: `ok` or what is wrong."""

from __future__ import annotations

from functools import partial
from typing import Any

import functions_framework
from flask import Request, Response

from shared import __version__, startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.meaning.store import by_meaning
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.health import Health
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL")
db = Firestore(config)
state = Health(
    {
        "firestore": db.ping,
        "pubsub": Topics(config).ping,
        "elasticsearch": SearchIndex(SearchServer(config)).ping,
    },
    partial(by_meaning, db, config.embedder),
)
routes = Routes(config, db)


@functions_framework.http
def health(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/health", public=True)
def dependencies(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    found = state.check()
    return {**found, "version": __version__}, 200 if found["status"] == "ok" else 503
