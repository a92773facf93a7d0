"""The routes of feeds: their owners open and close them, and everybody who has an address may read it."""

from __future__ import annotations

from typing import Any

from flask import Request, Response

from shared.accounts.auth import Caller
from shared.keep.feed_files import FORMS
from shared.keep.feeds import Feeds
from shared.random_secrets import hash_secret
from shared.web.buckets import Buckets
from shared.web.origin import Site
from shared.web.routing import Routes

#: The requests for one feed: at once, and in a second. Readers ask a few times in an hour.
_OF_A_FEED = (30, 1 / 30)


def add_routes(routes: Routes, feeds: Feeds, site: Site) -> None:
    buckets = Buckets(*_OF_A_FEED)

    def address(request: Request, token: str, form: str) -> str:
        return f"{site.origin(request)}/api/feeds/{token}.{form}"

    def answer(request: Request, token: str, form: str) -> Response:
        # Not the token itself: anybody may send one that is as long as an address.
        buckets.take(hash_secret(token))
        kind, render = FORMS[form]
        feed = feeds.read(token, site.origin(request))
        answer = Response(render(feed, address(request, token, form)))
        answer.content_type = f"{kind}; charset=utf-8"
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    @routes.post("/api/searches/<search_id>/feed")
    def open_feed(request: Request, caller: Caller, search_id: str) -> tuple[dict[str, Any], int]:
        token = feeds.open(caller.user_id, search_id)
        return {"url": address(request, token, "atom"), "json_url": address(request, token, "json")}, 201

    @routes.delete("/api/searches/<search_id>/feed")
    def close_feed(request: Request, caller: Caller, search_id: str) -> Response:
        feeds.close(caller.user_id, search_id)
        return Response(status=204)

    @routes.get("/api/feeds/<token>.atom", public=True)
    def atom(request: Request, caller: Caller, token: str) -> Response:
        return answer(request, token, "atom")

    @routes.get("/api/feeds/<token>.json", public=True)
    def json_feed(request: Request, caller: Caller, token: str) -> Response:
        return answer(request, token, "json")
