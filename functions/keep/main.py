"""/api/searches: the saved searches of the caller."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.gcp.firestore import Firestore
from shared.keep.searches import Searches
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.web.requests import body_of
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
searches = Searches(db, Search(SearchServer(config)))
routes = Routes(config, db)


@functions_framework.http
def keep(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/searches")
def list_searches(request: Request, caller: Caller) -> dict[str, Any]:
    return searches.list(caller.user_id)


@routes.post("/api/searches")
def save_search(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    body = body_of(request)
    return searches.save(caller.user_id, body.get("query"), body.get("title")), 201


@routes.patch("/api/searches/<search_id>")
def rename_search(request: Request, caller: Caller, search_id: str) -> dict[str, Any]:
    return searches.rename(caller.user_id, search_id, body_of(request).get("title"))


@routes.post("/api/searches/<search_id>/seen")
def see_hits(request: Request, caller: Caller, search_id: str) -> dict[str, Any]:
    until = body_of(request).get("checked_at") if request.get_data() else None
    return searches.see(caller.user_id, search_id, until)


@routes.delete("/api/searches/<search_id>")
def delete_search(request: Request, caller: Caller, search_id: str) -> Response:
    searches.delete(caller.user_id, search_id)
    return Response(status=204)
