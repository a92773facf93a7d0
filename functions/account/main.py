"""/api/me, /api/tokens, sign-in and /api/operator: the caller, API tokens, erasure, and other users."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.accounts.erasure import Erasure
from shared.accounts.operators import Operators
from shared.accounts.profiles import Profiles
from shared.accounts.sessions import Sessions
from shared.accounts.signin import SignIn
from shared.accounts.tokens import Tokens
from shared.gcp.firestore import Firestore
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.cookies import go_on, read_cookie, signed_out
from shared.web.operation import add_routes as add_operator_routes
from shared.web.origin import Site, require_navigation
from shared.web.requests import body_of
from shared.web.routing import Routes

config = startup.begin(
    "ELASTICSEARCH_URL",
    "GOOGLE_OAUTH_CLIENT_ID",
    "PUBLIC_URL",
    "GOOGLE_OAUTH_CLIENT_SECRET",
    "GRANT_ENCRYPTION_KEYS",
)
db, google = Firestore(config), Google(config)
index, grants = SearchIndex(SearchServer(config)), Grants(db, google, config)
erasure, sign_in = Erasure(db, index, grants), SignIn(config, db, index, google, grants)
profiles, sessions, tokens, site = Profiles(config, db, grants), Sessions(db), Tokens(db), Site(config)
routes = Routes(config, db)
operators = Operators(config, db, erasure)
add_operator_routes(routes, operators)


@functions_framework.http
def account(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/me")
def me(request: Request, caller: Caller) -> dict[str, Any]:
    return profiles.view(caller.user_id)


@routes.delete("/api/me")
def erase(request: Request, caller: Caller) -> Response:
    erasure.erase(caller.user_id)
    return signed_out(site, request, caller)


@routes.get("/api/login", public=True)
def login(request: Request, caller: Caller) -> Response:
    require_navigation(request)
    callback_url = f"{site.origin(request)}/api/login/callback"
    return go_on(site, request, sign_in.begin(request.args.get("next"), callback_url, read_cookie(request)))


@routes.get("/api/login/callback", public=True)
def callback(request: Request, caller: Caller) -> Response:
    require_navigation(request)
    return go_on(site, request, sign_in.complete(request.args, read_cookie(request)))


@routes.post("/api/logout")
def logout(request: Request, caller: Caller) -> Response:
    if caller.session is not None:
        sessions.end(caller.session)
    return signed_out(site, request, caller)


@routes.get("/api/tokens")
def list_tokens(request: Request, caller: Caller) -> dict[str, Any]:
    return {"tokens": tokens.list(caller.user_id)}


@routes.post("/api/tokens")
def mint_token(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    body = body_of(request)
    user_id = body.get("user", caller.user_id) if caller.operator else caller.user_id
    return tokens.mint(user_id, body.get("name", "API token")), 201


@routes.delete("/api/tokens/<token_id>")
def revoke_token(request: Request, caller: Caller, token_id: str) -> Response:
    tokens.revoke(caller.user_id, token_id)
    return Response(status=204)
