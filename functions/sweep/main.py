"""Publishes again what was lost: called by the scheduler, never from outside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import functions_framework
from flask import Request, Response

from shared.auth import Caller
from shared.http import Routes, body_of
from shared.sweep import run

routes = Routes()


@functions_framework.http
def sweep(request: Request) -> Response:
    return routes.dispatch(request)


# Not public: the platform lets only the scheduler's identity in, and the gateway has no route here.
@routes.add("POST", "/", public=True)
def over_all_jobs(request: Request, caller: Caller) -> dict[str, Any]:
    body = body_of(request) if request.get_data() else {}
    return asdict(run(messages_lost=body.get("messages_lost") is True))
