"""Feeds: each shows the latest new hits of one saved search to everybody who has its address."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from msgspec.structs import replace

from shared import clock
from shared.errors import BadRequest, NotFound
from shared.gcp.firestore import Firestore
from shared.keep.feed_files import Entry, Feed
from shared.keep.saved import SavedSearch
from shared.keep.searches import Searches, feed_path
from shared.library.placement import placing
from shared.random_secrets import hash_secret, make_secret
from shared.search.service import Search
from shared.search.snippets import plain

#: Hits in a feed, the latest ones.
_ENTRIES = 50
_TOKEN = re.compile(r"yts_feed_[A-Za-z0-9_-]{43}")


class Feeds:
    """The feeds of all users. ``admits``: whether a user may use this site."""

    def __init__(
        self, db: Firestore, searches: Searches, search: Search, admits: Callable[[str], bool]
    ) -> None:
        self._db = db
        self._searches = searches
        self._search = search
        self._admits = admits

    def open(self, user_id: str, search_id: str) -> str:
        """Makes the feed of a saved search: its token, which is shown nowhere else.

        The feed that the search had is closed. Raises NotFound.
        """
        token = make_secret("feed")
        name, now = hash_secret(token), clock.now()

        def decide(saved: SavedSearch, commit: Any) -> Mapping[str, Any]:
            if saved.feed is not None:
                commit.delete(feed_path(saved.feed))
            commit.create(feed_path(name), {"user_id": user_id, "search_id": search_id})
            return {"feed": name, "feed_created_at": now}

        self._searches.change(user_id, search_id, decide)
        return token

    def close(self, user_id: str, search_id: str) -> None:
        """Raises NotFound when there is no such search, or it has no feed."""

        def decide(saved: SavedSearch, commit: Any) -> Mapping[str, Any]:
            if saved.feed is None:
                raise NotFound("This saved search has no feed.")
            commit.delete(feed_path(saved.feed))
            return {"feed": None, "feed_created_at": None}

        self._searches.change(user_id, search_id, decide)

    def read(self, token: str, origin: str) -> Feed:
        """The feed of a token. The search is looked at again. ``origin``: of this site.

        Raises:
            NotFound: there is none (any more), or its owner may not use this site.
        """
        missing = NotFound("There is no such feed. It may have been replaced by a new address.")
        if not _TOKEN.fullmatch(token):
            raise missing
        name = hash_secret(token)
        data = self._db.read(feed_path(name))[0].data
        if data is None or not self._admits(data["user_id"]):
            raise missing
        saved, titles = self._searches.look(data["user_id"], data["search_id"])
        if saved.feed != name:
            raise missing
        latest = dict(list(saved.found.items())[-_ENTRIES:])
        hits = self._hits(data["user_id"], titles, saved, latest)
        return _feed(saved, latest, hits, origin)

    def _hits(
        self, user_id: str, titles: Mapping[str, str], saved: SavedSearch, latest: Mapping[str, datetime]
    ) -> Mapping[str, Mapping[str, Any]]:
        """The hits by the id of the video. None of them if the search is not accepted any more."""
        try:
            # A feed has an order of its own.
            params = replace(saved.params, among=tuple(latest), limit=_ENTRIES, sort="relevance")
            placed = placing(self._db, user_id, params)
            hits = self._search.search(user_id, titles, params, placed)["hits"] if latest else []
        except BadRequest:
            return {}
        return {hit["video_id"]: hit for hit in hits}


def _feed(
    saved: SavedSearch,
    latest: Mapping[str, datetime],
    hits: Mapping[str, Mapping[str, Any]],
    origin: str,
) -> Feed:
    # A name that nobody else gives to anything else (https://www.rfc-editor.org/rfc/rfc4151).
    name = f"tag:{urlsplit(origin).hostname},{saved.created_at:%Y-%m-%d}:searches/{saved.search_id}"
    entries = [
        _entry(f"{name}/{video_id}", hits[video_id], time, saved, origin)
        for video_id, time in reversed(list(latest.items()))
        if video_id in hits
    ]
    updated = max(latest.values(), default=saved.created_at)
    return Feed(name, saved.title, f"{origin}/?{saved.query}", updated, entries)


def _entry(name: str, hit: Mapping[str, Any], time: datetime, saved: SavedSearch, origin: str) -> Entry:
    moments = hit["moments"]
    address = {"v": hit["video_id"]}
    if moments:
        address["t"] = _seconds(moments[0]["start"])
        # The beginning of a chapter is in no line if the video has no captions.
        if moments[0]["line"] is not None:
            address["line"] = str(moments[0]["line"])
    if q := saved.params.q:
        address["q"] = q
    said = [f"{_clock_time(moment['start'])} {plain(moment['snippet'])}" for moment in moments]
    return Entry(
        name,
        f"{origin}/?{urlencode(address)}",
        moments[0]["url"] if moments else hit["url"],
        plain(hit["title"]),
        hit["channel"],
        time,
        "\n".join(said) or plain(hit["description"]),
    )


def _seconds(start: float) -> str:
    """As the page writes it into its addresses: 61.9, and 61 without a fraction."""
    return f"{start:.3f}".rstrip("0").rstrip(".")


def _clock_time(start: float) -> str:
    minutes, seconds = divmod(int(start), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
