"""The routes of feeds: their owners open and close them, and everybody who has an address may read it."""

from __future__ import annotations

from typing import Annotated, TypedDict

from flask import Request, Response
from msgspec import Meta

from shared.accounts.auth import Caller
from shared.declared import ShortId
from shared.errors import TooMany
from shared.keep.feed_files import FORMS
from shared.keep.feeds import Feeds
from shared.random_secrets import hash_secret
from shared.web.buckets import Buckets
from shared.web.origin import Site
from shared.web.routing import Routes

#: The requests for one feed: at once, and in a second. Readers ask a few times in an hour.
_OF_A_FEED = (30, 1 / 30)


FeedToken = Annotated[str, Meta(examples=["yts_feed_…"])]


class FeedAddresses(TypedDict):
    """The addresses of a feed, as Atom and as JSON Feed. They are shown nowhere else."""

    url: str
    json_url: str


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

    @routes.post("/api/searches/<search_id>/feed", status=201)
    def open_feed(request: Request, caller: Caller, search_id: ShortId) -> FeedAddresses:
        """Make a feed of the new hits of a saved search, in place of the one that it had."""
        token = feeds.open(caller.user_id, search_id)
        return {"url": address(request, token, "atom"), "json_url": address(request, token, "json")}

    @routes.delete("/api/searches/<search_id>/feed")
    def close_feed(request: Request, caller: Caller, search_id: ShortId) -> Response:
        """Close the feed of a saved search. Its address is dead at once."""
        feeds.close(caller.user_id, search_id)
        return Response(status=204)

    @routes.get(
        "/api/feeds/<token>.atom",
        public=True,
        status=(200, 304),
        files=[FORMS["atom"][0]],
        raises=[TooMany],
    )
    def read_atom_feed(request: Request, caller: Caller, token: FeedToken) -> Response:
        """The latest new hits of a saved search as Atom, for everybody who has the address.

        304 if nothing has changed.
        """
        return answer(request, token, "atom")

    @routes.get(
        "/api/feeds/<token>.json",
        public=True,
        status=(200, 304),
        files=[FORMS["json"][0]],
        raises=[TooMany],
    )
    def read_json_feed(request: Request, caller: Caller, token: FeedToken) -> Response:
        """The same as a JSON Feed."""
        return answer(request, token, "json")
