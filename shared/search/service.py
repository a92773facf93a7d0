"""Search in the caller's library: use cases behind ``/api/search``, ``/api/suggest`` and ``/api/videos``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from shared import logs
from shared.errors import BadRequest
from shared.search import facets, hits, spelling
from shared.search.compiler import WEIGHTS, Weights
from shared.search.cursor import Cursor
from shared.search.errors import SearchRefused
from shared.search.language import parse
from shared.search.pages import Page, Pages, Part
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.query import Query
from shared.search.scope import LibraryAnalyzers, Scope
from shared.search.server import SearchServer
from shared.search.suggest import suggestions
from shared.search.video import Matches, Whole, read_matches, read_video, whole
from shared.transcripts.transcript import Line

#: Hits that an export reads at a time.
_EXPORT_PAGE = 25
#: Videos that are read whole at a time. The longest transcripts have some megabytes.
_WHOLE_PAGE = 20
#: Videos that are listed at a time.
_LIST_PAGE = 500
#: The part of a document that is needed to list it.
_LISTED = ("video_id", "title", "channel", "published_at", "duration_seconds")
#: Does not change while indexing goes on, so that no video is twice or missing.
_BY_ID = ({"video_id": "asc"},)
_NEWEST = ({"published_at": {"order": "desc", "missing": "_last"}}, *_BY_ID)


class Search:
    """Thread-safe; one object a process.

    Every method takes the caller's user id and the titles (by playlist id) of the caller's library. Nothing
    outside of this library is ever found: see :mod:`shared.search.scope`. Every method raises Transient when
    Elasticsearch does not answer.
    """

    def __init__(
        self,
        server: SearchServer,
        *,
        weights: Weights = WEIGHTS,
        export_page: int = _EXPORT_PAGE,
        whole_page: int = _WHOLE_PAGE,
    ) -> None:
        self._server = server
        self._export_page = export_page
        self._whole_page = whole_page
        self._analyzers = LibraryAnalyzers()
        self._pages = Pages(self._analyzers, weights)

    def search(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> dict[str, Any]:
        """The answer to ``GET /api/search``. ``placing``: see :meth:`shared.search.pages.Pages.read`.

        It has ``notices`` only if there are any: sentences for the user that say which part of the query was
        not searched, or that the search was ended early.

        Raises:
            BadRequest: the cursor does not belong to this search, or Elasticsearch does not accept it.
        """
        begun = time.monotonic()
        scope = Scope(self._server, user_id, titles)
        query = parse(params.q)
        cursor = Cursor.decode(params.cursor, params) if params.cursor else None
        placed = placing or Placing()
        page = self._pages.read(scope, query, params, cursor, count_facets=True, placing=placed)
        # Few new hits of a saved search say nothing about its spelling.
        follows = cursor is not None or params.among is not None
        answer: dict[str, Any] = {
            "total": page.total,
            "took_ms": 0,
            "hits": [_hit(found, query, placing) for found in page.hits],
            "facets": facets.view(page.facets, scope, page.total) if page.facets else facets.nothing(),
            "did_you_mean": None if follows else self._did_you_mean(scope, query, params, placed, page.total),
            "cursor": page.cursor.encode() if page.cursor else None,
        }
        if notices := _notices(query, page):
            answer["notices"] = notices
        answer["took_ms"] = round((time.monotonic() - begun) * 1000)
        return answer

    def every_hit(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> Iterator[dict[str, Any]]:
        """All hits with all their moments, whatever the limit and the cursor in ``params``.

        Raises:
            BadRequest: Elasticsearch does not accept the search.
        """
        scope = Scope(self._server, user_id, titles)
        query = parse(params.q)
        params = replace(params, limit=self._export_page, cursor=None)
        for found in self._pages.every(scope, query, params, placing or Placing()):
            yield _hit(found, query, placing, limit=None)

    def ids(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> list[str]:
        """The ids of all videos that a search finds, in no order, whatever its order and limit.

        Raises:
            BadRequest: Elasticsearch does not accept the search, or it finds too many videos.
        """
        scope = Scope(self._server, user_id, titles)
        return self._pages.ids(scope, parse(params.q), params, placing or Placing())

    def whole_videos(
        self,
        user_id: str,
        titles: Callable[[], Mapping[str, str]],
        params: Params,
        placing: Placing | None = None,
        *,
        after: str | None = None,
    ) -> Iterator[Whole]:
        """Every video that a search finds, with its transcript, in the order of ids, whatever its order.

        ``titles``: asked again and again, so that what leaves the library meanwhile is left out. ``after``:
        the id of the last video that is not wanted again.

        Raises:
            BadRequest: Elasticsearch does not accept the search.
        """
        part = Part(_BY_ID, self._whole_page, {"excludes": ["fingerprint"]}, [after] if after else ())
        for found, scope in self._parts(user_id, titles, params, placing, part):
            yield whole(found, scope)

    def listed_videos(
        self,
        user_id: str,
        titles: Callable[[], Mapping[str, str]],
        params: Params,
        placing: Placing | None = None,
    ) -> Iterator[dict[str, Any]]:
        """As :meth:`whole_videos`, the newest first, with what a list of them shows."""
        part = Part(_NEWEST, _LIST_PAGE, {"includes": _LISTED})
        for found, _ in self._parts(user_id, titles, params, placing, part):
            yield hits.about(found["_source"])

    def _parts(
        self,
        user_id: str,
        titles: Callable[[], Mapping[str, str]],
        params: Params,
        placing: Placing | None,
        part: Part,
    ) -> Iterator[tuple[Mapping[str, Any], Scope]]:
        scope = Scope(self._server, user_id, {})

        def renewed() -> Scope:
            nonlocal scope
            scope = replace(scope, titles=titles())
            return scope

        for found in self._pages.parts(renewed, parse(params.q), params, placing or Placing(), part):
            yield found, scope

    def suggest(self, user_id: str, titles: Mapping[str, str], typed: str) -> list[str]:
        """Titles, channels and frequent phrases of the library that continue the typed text."""
        return suggestions(Scope(self._server, user_id, titles), typed)

    def video(
        self, user_id: str, titles: Mapping[str, str], video_id: str
    ) -> tuple[dict[str, Any], list[Line]]:
        """A video and its caption lines; no lines without captions.

        Raises:
            NotFound: it is not in the caller's library, or is not indexed.
        """
        return read_video(Scope(self._server, user_id, titles), video_id)

    def matches(self, user_id: str, titles: Mapping[str, str], video_id: str, q: str) -> Matches:
        """The places of a video's transcript that match a query, for showing them in the transcript.

        Raises:
            NotFound: the video is not in the caller's library, or is not indexed.
        """
        return read_matches(Scope(self._server, user_id, titles), self._analyzers, video_id, parse(q))

    def _did_you_mean(
        self, scope: Scope, query: Query, params: Params, placing: Placing, found: int
    ) -> str | None:
        """Another spelling of the query. The search succeeds even if none can be looked for."""

        def count(q: str) -> int:
            corrected = replace(params, q=q, limit=1)
            page = self._pages.read(scope, parse(q), corrected, count_facets=False, placing=placing)
            return page.total

        if not scope.playlists or found > spelling.FEW:
            return None
        try:
            return spelling.did_you_mean(scope, params.q, query, found, count)
        except (SearchRefused, BadRequest) as error:
            if not (isinstance(error, SearchRefused) and error.no_index):
                logs.error("no other spelling could be looked for", error, detail=error.detail)
            return None


def _hit(
    found: Mapping[str, Any], query: Query, placing: Placing | None, limit: int | None = hits.MOMENTS
) -> dict[str, Any]:
    shown = hits.hit(found, query, limit)
    return shown | placing.view(shown["video_id"]) if placing else shown


def _notices(query: Query, page: Page) -> list[str]:
    notices = list(query.notices)
    if page.partial:
        notices.append("The search took too long and was ended early; there may be more hits.")
    return notices
