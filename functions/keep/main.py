"""/api/searches, /api/feeds, /api/links and /api/clips: what a person keeps and shares."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Auth, Caller
from shared.declared import ShortId
from shared.errors import Busy, NotFound
from shared.gcp.firestore import Firestore
from shared.keep.clips import Clips
from shared.keep.feeds import Feeds
from shared.keep.saved import SearchView
from shared.keep.searches import NewSearch, NewTitle, Searches, SearchList, SeenUntil
from shared.library.links import LinkList, Links, MadeLink, NewLink
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.web.clips import add_routes as add_clip_routes
from shared.web.feeds import add_routes as add_feed_routes
from shared.web.origin import Site
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
def list_searches(request: Request, caller: Caller) -> SearchList:
    """Your saved searches, by title."""
    return searches.list(caller.user_id)


@routes.post("/api/searches", status=201, raises=[Busy])
def save_search(request: Request, caller: Caller, body: NewSearch) -> SearchView:
    """Save a search. What it finds from now on is new.

    409 if you have saved it already, and beyond 100 of them.
    """
    return searches.save(caller.user_id, body.query, body.title)


@routes.patch("/api/searches/<search_id>")
def rename_search(request: Request, caller: Caller, search_id: ShortId, body: NewTitle) -> SearchView:
    """Give a saved search another title."""
    return searches.rename(caller.user_id, search_id, body.title)


@routes.post("/api/searches/<search_id>/seen")
def see_hits(request: Request, caller: Caller, search_id: ShortId, body: SeenUntil | None) -> SearchView:
    """Take the new hits of a saved search for seen: all, or those that were found until `checked_at`."""
    return searches.see(caller.user_id, search_id, body.checked_at if body else None)


@routes.delete("/api/searches/<search_id>")
def delete_search(request: Request, caller: Caller, search_id: ShortId) -> Response:
    """Delete a saved search, and its feed."""
    searches.delete(caller.user_id, search_id)
    return Response(status=204)


@routes.get("/api/links")
def list_links(request: Request, caller: Caller) -> LinkList:
    """Your read-only links, without their tokens."""
    return links.of_user(caller.user_id)


@routes.post("/api/links", status=201, raises=[NotFound, Busy])
def make_link(request: Request, caller: Caller, body: NewLink) -> MadeLink:
    """Make a read-only link to one source that is not private.

    With it, people search and watch this source without an account. 409 beyond 100 links.
    """
    view, token = links.make(caller.user_id, body.playlist_id)
    # The part after # in an address is sent to no server, and to no page that is opened from ours.
    return {**view, "url": f"{site.origin(request)}/#link={token}"}


@routes.delete("/api/links/<link_id>")
def revoke_link(request: Request, caller: Caller, link_id: ShortId) -> Response:
    """Revoke a read-only link. It is dead at once."""
    links.revoke(caller.user_id, link_id)
    return Response(status=204)
