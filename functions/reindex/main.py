"""Rebuilds the search index. Only the operator calls it, never a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator

import functions_framework
from flask import Request, Response

from shared import logs, startup
from shared.accounts.auth import Caller
from shared.config import ConfigError
from shared.errors import YtsError
from shared.gcp.firestore import Firestore
from shared.pipeline.reindex import Reindex, ReindexAsked
from shared.search.index.passages import PassageIndex
from shared.search.index.rebuild import Rebuild
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL")
db, server = Firestore(config), SearchServer(config)
use_case = Reindex(db, SearchIndex(server), Rebuild(server), PassageIndex(server))
routes = Routes(config, db)


@functions_framework.http
def reindex(request: Request) -> Response:
    return routes.dispatch(request)


# Not open to all: the platform admits only the operator's identity, and the gateway has no route here.
@routes.post("/", public=True, files=["application/x-ndjson"])
def start(request: Request, caller: Caller, query: ReindexAsked) -> Response:
    """``?only=outdated`` rebuilds the index only if it was made by another version."""
    return Response(_progress(query.only == "outdated"), mimetype="application/x-ndjson")


def _progress(only_outdated: bool) -> Iterator[str]:
    """One JSON object a line. An error is the last one, because the status has been sent before."""
    try:
        for step in use_case.run(only_outdated=only_outdated):
            yield json.dumps(step) + "\n"
    except (YtsError, ConfigError) as error:
        logs.error("reindexing failed", error)
        yield json.dumps({"error": str(error)}) + "\n"
