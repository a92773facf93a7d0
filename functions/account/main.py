"""/api/me and /api/tokens: who the caller is, and API tokens."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import auth
from shared.auth import Caller
from shared.http import Routes, body_of

routes = Routes()


@functions_framework.http
def account(request: Request) -> Response:
    return routes.dispatch(request)


@routes.add("GET", "/api/me")
def me(request: Request, caller: Caller) -> dict[str, Any]:
    return {"user_id": caller.user_id}


@routes.add("GET", "/api/tokens")
def tokens(request: Request, caller: Caller) -> dict[str, Any]:
    return {"tokens": auth.tokens(caller.user_id)}


@routes.add("POST", "/api/tokens")
def mint(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    body = body_of(request)
    user_id = body.get("user", caller.user_id) if caller.operator else caller.user_id
    return auth.mint(user_id, body.get("name", "API token")), 201


@routes.add("DELETE", "/api/tokens/<token_id>")
def revoke(request: Request, caller: Caller, token_id: str) -> Response:
    auth.revoke(caller.user_id, token_id)
    return Response(status=204)
