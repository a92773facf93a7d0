"""Builds the search index anew: called by the operator, never from outside."""

from __future__ import annotations

import json
from collections.abc import Iterator

import functions_framework
from flask import Request, Response

from shared import logs
from shared.auth import Caller
from shared.config import ConfigError
from shared.errors import YtsError
from shared.http import Routes
from shared.reindex import run

routes = Routes()


@functions_framework.http
def reindex(request: Request) -> Response:
    return routes.dispatch(request)


# Not public: the platform lets only the operator's identity in, and the gateway has no route here.
@routes.add("POST", "/", public=True)
def everything(request: Request, caller: Caller) -> Response:
    return Response(_progress(), mimetype="application/x-ndjson")


def _progress() -> Iterator[str]:
    """One JSON object a line; a failure is the last one, because the status is long sent."""
    try:
        for step in run():
            yield json.dumps(step) + "\n"
    except (YtsError, ConfigError) as error:
        logs.error("reindexing failed", error)
        yield json.dumps({"error": str(error)}) + "\n"
