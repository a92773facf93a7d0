"""Publishes again what was lost, and completes erasures: called by the scheduler, never from outside."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import functions_framework
from flask import Request, Response

from shared import config, erasure
from shared.auth import Caller
from shared.http import Routes, body_of
from shared.sweep import run

config.at_start("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS")
routes = Routes()


@functions_framework.http
def sweep(request: Request) -> Response:
    return routes.dispatch(request)


# Not public: the platform lets only the scheduler's identity in, and the gateway has no route here.
@routes.add("POST", "/", public=True)
def over_all_jobs(request: Request, caller: Caller) -> dict[str, Any]:
    body = body_of(request) if request.get_data() else {}
    swept = run(messages_lost=body.get("messages_lost") is True)
    return {**asdict(swept), "erasures": erasure.resume_all()}
