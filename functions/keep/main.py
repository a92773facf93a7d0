"""/api/searches, /api/feeds, /api/links and /api/clips: what a person keeps and shares."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Auth, Caller
from shared.gcp.firestore import Firestore
from shared.keep.clips import Clips
from shared.keep.feed_files import FORMS
from shared.keep.feeds import Feeds
from shared.keep.searches import Searches
from shared.library.links import Links
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.web import clipping
from shared.web.buckets import Buckets
from shared.web.origin import Site
from shared.web.requests import body_of
from shared.web.routing import Routes

config = startup.begin("ELASTICSEARCH_URL", "GOOGLE_OAUTH_CLIENT_ID", "PUBLIC_URL")
db = Firestore(config)
search, auth, site = Search(SearchServer(config)), Auth(config, db), Site(config)
searches, links = Searches(db, search), Links(db)
feeds = Feeds(db, searches, search, auth.admits)
#: The requests for one feed: at once, and in a second. Readers ask a few times in an hour.
of_a_feed = Buckets(30, 1 / 30)
routes = Routes(config, db, auth=auth, site=site)
clipping.add_routes(routes, Clips(db, search), site)


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


@routes.post("/api/searches/<search_id>/feed")
def open_feed(request: Request, caller: Caller, search_id: str) -> tuple[dict[str, Any], int]:
    token = feeds.open(caller.user_id, search_id)
    return {"url": _feed_url(request, token, "atom"), "json_url": _feed_url(request, token, "json")}, 201


@routes.delete("/api/searches/<search_id>/feed")
def close_feed(request: Request, caller: Caller, search_id: str) -> Response:
    feeds.close(caller.user_id, search_id)
    return Response(status=204)


@routes.get("/api/feeds/<token>.atom", public=True)
def show_atom(request: Request, caller: Caller, token: str) -> Response:
    return _feed(request, token, "atom")


@routes.get("/api/feeds/<token>.json", public=True)
def show_json(request: Request, caller: Caller, token: str) -> Response:
    return _feed(request, token, "json")


def _feed(request: Request, token: str, form: str) -> Response:
    of_a_feed.take(token)
    kind, render = FORMS[form]
    answer = Response(render(feeds.read(token, site.origin(request)), _feed_url(request, token, form)))
    answer.content_type = f"{kind}; charset=utf-8"
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def _feed_url(request: Request, token: str, form: str) -> str:
    return f"{site.origin(request)}/api/feeds/{token}.{form}"


@routes.get("/api/links")
def list_links(request: Request, caller: Caller) -> dict[str, Any]:
    return links.of_user(caller.user_id)


@routes.post("/api/links")
def make_link(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    view, token = links.make(caller.user_id, body_of(request).get("playlist_id"))
    # What follows # in an address is sent to no server, and to no page that is opened from ours.
    return {**view, "url": f"{site.origin(request)}/#link={token}"}, 201


@routes.delete("/api/links/<link_id>")
def revoke_link(request: Request, caller: Caller, link_id: str) -> Response:
    links.revoke(caller.user_id, link_id)
    return Response(status=204)
