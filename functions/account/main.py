"""/api/me, /api/tokens and the way in and out: who the caller is, API tokens, sign-in with Google."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import auth, config, erasure, origin, profiles, sessions, signin
from shared.auth import Caller
from shared.http import Routes, body_of
from shared.sessions import Cookie
from shared.signin import Step

config.at_start("GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS", "PUBLIC_URL")
routes = Routes()


@functions_framework.http
def account(request: Request) -> Response:
    return routes.dispatch(request)


@routes.add("GET", "/api/me")
def me(request: Request, caller: Caller) -> dict[str, Any]:
    return profiles.view(caller.user_id)


@routes.add("DELETE", "/api/me")
def erase(request: Request, caller: Caller) -> Response:
    erasure.erase(caller.user_id)
    return _gone(request, caller)


@routes.add("GET", "/api/login", public=True)
def login(request: Request, caller: Caller) -> Response:
    origin.require_navigation(request)
    back = f"{origin.of(request)}/api/login/callback"
    return _go(request, signin.begin(request.args.get("next"), back, Cookie.of(request)))


@routes.add("GET", "/api/login/callback", public=True)
def callback(request: Request, caller: Caller) -> Response:
    origin.require_navigation(request)
    return _go(request, signin.complete(request.args, Cookie.of(request)))


@routes.add("POST", "/api/logout")
def logout(request: Request, caller: Caller) -> Response:
    if caller.session is not None:
        sessions.end(caller.session)
    return _gone(request, caller)


def _gone(request: Request, caller: Caller) -> Response:
    answer = Response(status=204)
    return Cookie(None, None).put(answer, request) if caller.session is not None else answer


def _go(request: Request, step: Step) -> Response:
    return step.cookie.put(Response(status=302, headers={"Location": step.location}), request)


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
