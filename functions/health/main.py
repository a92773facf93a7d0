"""GET /api/health: each dependency, ok or what is wrong."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared.auth import Caller
from shared.health import check
from shared.http import Routes

routes = Routes()


@functions_framework.http
def health(request: Request) -> Response:
    return routes.dispatch(request)


@routes.add("GET", "/api/health", public=True)
def dependencies(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    found = check()
    return found, 200 if found["status"] == "ok" else 503
