"""/api/searches, /api/feeds, /api/links and /api/clips: what a person keeps and shares."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Auth, Caller
from shared.gcp.firestore import Firestore
from shared.keep.clips import Clips
from shared.keep.feeds import Feeds
from shared.keep.searches import Searches
from shared.library.links import Links
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.web.clips import add_routes as add_clip_routes
from shared.web.feeds import add_routes as add_feed_routes
from shared.web.origin import Site
from shared.web.requests import body_of
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
search, auth, site = Search(SearchServer(config)), Auth(config, db), Site(config)
searches, links = Searches(db, search), Links(db)
feeds = Feeds(db, searches, search, auth.admits)
routes = Routes(config, db, auth=auth, site=site)
add_feed_routes(routes, feeds, site)
add_clip_routes(routes, Clips(db, search), site)


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


@routes.get("/api/links")
def list_links(request: Request, caller: Caller) -> dict[str, Any]:
    return links.of_user(caller.user_id)


@routes.post("/api/links")
def make_link(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    view, token = links.make(caller.user_id, body_of(request).get("playlist_id"))
    # The part after # in an address is sent to no server, and to no page that is opened from ours.
    return {**view, "url": f"{site.origin(request)}/#link={token}"}, 201


@routes.delete("/api/links/<link_id>")
def revoke_link(request: Request, caller: Caller, link_id: str) -> Response:
    links.revoke(caller.user_id, link_id)
    return Response(status=204)
