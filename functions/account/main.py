"""/api/me, /api/tokens, sign-in and /api/operator: the caller, API tokens, erasure, and other users."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.accounts.erasure import Erasure
from shared.accounts.operators import Operators
from shared.accounts.profiles import Profile, Profiles
from shared.accounts.sessions import Sessions
from shared.accounts.signin import LoginAsked, SignIn
from shared.accounts.tokens import MadeToken, NewToken, TokenList, Tokens
from shared.declared import ShortId
from shared.errors import Forbidden
from shared.gcp.firestore import Firestore
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.cookies import go_on, read_cookie, signed_out
from shared.web.operation import add_routes as add_operator_routes
from shared.web.origin import Site, require_navigation
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
def show_profile(request: Request, caller: Caller) -> Profile:
    """You, as this site knows you."""
    return profiles.view(caller.user_id)


@routes.delete("/api/me")
def erase_me(request: Request, caller: Caller) -> Response:
    """Erase everything about you, for good."""
    erasure.erase(caller.user_id)
    return signed_out(site, request, caller)


@routes.get("/api/login", public=True, status=302, raises=[Forbidden])
def begin_login(request: Request, caller: Caller, query: LoginAsked) -> Response:
    """Sign in with Google. For browsers: the way goes on at Google."""
    require_navigation(request)
    callback_url = f"{site.origin(request)}/api/login/callback"
    return go_on(site, request, sign_in.begin(query.next, callback_url, read_cookie(request)))


@routes.get("/api/login/callback", public=True, status=302, raises=[Forbidden])
def complete_login(request: Request, caller: Caller) -> Response:
    """The way back from Google, which adds its own parameters."""
    require_navigation(request)
    return go_on(site, request, sign_in.complete(request.args, read_cookie(request)))


@routes.post("/api/logout", status=204)
def log_out(request: Request, caller: Caller) -> Response:
    """Sign out. The session of the browser ends; API tokens stay."""
    if caller.session is not None:
        sessions.end(caller.session)
    return signed_out(site, request, caller)


@routes.get("/api/tokens")
def list_tokens(request: Request, caller: Caller) -> TokenList:
    """Your API tokens, without the tokens themselves."""
    return {"tokens": tokens.list(caller.user_id)}


@routes.post("/api/tokens", status=201)
def make_token(request: Request, caller: Caller, body: NewToken) -> MadeToken:
    """Make an API token. It is shown only now."""
    # Only the command line of a local run makes tokens for others.
    user_id = body.user if caller.operator and body.user is not None else caller.user_id
    return tokens.mint(user_id, body.name)


@routes.delete("/api/tokens/<token_id>")
def revoke_token(request: Request, caller: Caller, token_id: ShortId) -> Response:
    """Revoke an API token. It is dead at once."""
    tokens.revoke(caller.user_id, token_id)
    return Response(status=204)
