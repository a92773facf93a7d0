"""Search in the caller's library: use cases behind ``/api/search``, ``/api/suggest`` and ``/api/videos``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, TypedDict

from msgspec.structs import replace

from shared import logs
from shared.declared import NextCursor
from shared.errors import BadRequest
from shared.search import facets, hits, spelling
from shared.search.compiler import WEIGHTS, Weights
from shared.search.errors import SearchRefused
from shared.search.language import parse
from shared.search.pages import Cursor, Page, Pages
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.query import Query
from shared.search.scope import LibraryAnalyzers, Scope
from shared.search.server import SearchServer
from shared.search.suggest import suggestions
from shared.search.video import Described, Matches, read_matches, read_video
from shared.transcripts.transcript import Line

#: Hits that an export reads at a time.
_EXPORT_PAGE = 25


class Found(TypedDict):
    """Hits of a search.

    - `facets`: hits by source, channel, language and year, each without its own filter
    - `did_you_mean`: another spelling that finds more
    - `notices`: sentences about what was not searched, or was read otherwise; only if there are any
    """

    total: int
    took_ms: int
    hits: list[hits.Hit]
    facets: facets.Facets
    did_you_mean: str | None
    cursor: NextCursor
    notices: NotRequired[list[str]]


class Search:
    """Thread-safe; one object a process.

    Every method takes the caller's user id and the titles (by playlist id) of the caller's library. Nothing
    outside of this library is ever found: see :mod:`shared.search.scope`. Every method raises Transient when
    Elasticsearch does not answer.
    """

    def __init__(
        self, server: SearchServer, *, weights: Weights = WEIGHTS, export_page: int = _EXPORT_PAGE
    ) -> None:
        self._server = server
        self._export_page = export_page
        self._analyzers = LibraryAnalyzers()
        self._pages = Pages(self._analyzers, weights)

    def search(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> Found:
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
        answer: Found = {
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
    ) -> Iterator[hits.Hit]:
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

    def suggest(self, user_id: str, titles: Mapping[str, str], typed: str) -> list[str]:
        """Titles, channels and frequent phrases of the library that continue the typed text."""
        return suggestions(Scope(self._server, user_id, titles), typed)

    def video(self, user_id: str, titles: Mapping[str, str], video_id: str) -> tuple[Described, list[Line]]:
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
) -> hits.Hit:
    shown = hits.hit(found, query, limit)
    if placing:
        shown["added_at"] = placing.added_at(shown["video_id"])
    return shown


def _notices(query: Query, page: Page) -> list[str]:
    notices = list(query.notices)
    if page.partial:
        notices.append("The search took too long and was ended early; there may be more hits.")
    return notices
