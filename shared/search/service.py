"""Search in the caller's library: use cases behind ``/api/search``, ``/api/suggest`` and ``/api/videos``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from shared import logs
from shared.errors import BadRequest
from shared.search import facets, hits, some_words, spelling
from shared.search.answers import Found, Related
from shared.search.compiler import WEIGHTS, Weights
from shared.search.cursor import Cursor
from shared.search.errors import SearchRefused
from shared.search.language import parse
from shared.search.meaning import Meaning
from shared.search.pages import Pages, Part
from shared.search.params import MAXIMUM_LIMIT, Params
from shared.search.placing import Placing
from shared.search.query import Query
from shared.search.questions import is_question
from shared.search.ranked import Page, Reading
from shared.search.scope import LibraryAnalyzers, Scope
from shared.search.server import SearchServer
from shared.search.some_words import Place, Places
from shared.search.suggest import suggestions
from shared.search.video import Described, Matches, Whole, read_matches, read_video, whole
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
        meaning: Meaning | None = None,
        *,
        weights: Weights = WEIGHTS,
        export_page: int = _EXPORT_PAGE,
        whole_page: int = _WHOLE_PAGE,
    ) -> None:
        """``meaning``: None where nothing is searched by meaning."""
        self._server = server
        self._meaning = meaning
        self._export_page = export_page
        self._whole_page = whole_page
        self._analyzers = LibraryAnalyzers()
        self._pages = Pages(self._analyzers, weights)

    def search(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> Found:
        """The answer to ``GET /api/search``. ``placing``: see :meth:`shared.search.pages.Pages.read`.

        It has ``notices`` only if there are any: sentences for the user that say which part of the query was
        not searched, or that the search was ended early.

        ``match`` is ``some_words`` if no video has all words: then the hits are the videos whose places have
        most of them, the best first, on one page. Each has ``missing``, the words that it has not; that of
        the answer are the words that no hit has.

        Raises:
            BadRequest: the cursor does not belong to this search, or Elasticsearch does not accept it.
        """
        begun = time.monotonic()
        scope = Scope(self._server, user_id, titles)
        search = self._by_meaning if params.by == "meaning" else self._by_words
        answer = search(scope, params, placing)
        answer["took_ms"] = round((time.monotonic() - begun) * 1000)
        return answer

    def _by_meaning(self, scope: Scope, params: Params, placing: Placing | None) -> Found:
        if self._meaning is None:
            raise BadRequest("by: here only words are searched.")
        answer = self._meaning.search(scope, self._pages, params, placing or Placing())
        if placing:
            for each in answer["hits"]:
                each["added_at"] = placing.added_at(each["video_id"])
        return answer

    def _by_words(self, scope: Scope, params: Params, placing: Placing | None) -> Found:
        query = _query(params)
        cursor = Cursor.decode(params.cursor, params) if params.cursor else None
        placed = placing or Placing()
        page = self._pages.read(scope, query, params, cursor, count_facets=True, placing=placed)
        # Few new hits of a saved search say nothing about its spelling.
        follows = cursor is not None or params.among is not None
        did_you_mean = None if follows else self._did_you_mean(scope, query, params, placed, page.total)
        places = None if follows or page.total else self._places(scope, query, params, placed)
        found: Page | Places = places or page
        state = self._meaning.serving.now().state if self._meaning else "off"
        answer: Found = {
            "match": "some_words" if places else "all_words",
            "total": found.total,
            "took_ms": 0,
            "hits": (
                [_place(each, query, placing) for each in places.hits]
                if places
                else [_hit(each, query, placing) for each in page.hits]
            ),
            "facets": found.counts or facets.nothing(),
            "did_you_mean": did_you_mean,
            "cursor": page.cursor.encode() if page.cursor else None,
            "meaning": {"state": state, "offer": is_question(params.q)},
        }
        if places:
            answer["missing"] = list(places.missing)
        if notices := _notices(query, params, page, places):
            answer["notices"] = notices
        return answer

    def related(
        self, user_id: str, titles: Mapping[str, str], video_id: str, start: float, limit: int
    ) -> Related:
        """The answer to ``GET /api/videos/{id}/related``: where else this is talked about.

        Raises:
            BadRequest: the video has no such second.
            NotFound: it is not in the caller's library, or is not indexed.
        """
        if self._meaning is None:
            raise BadRequest("Here nothing is searched by meaning.")
        return self._meaning.related(Scope(self._server, user_id, titles), video_id, start, limit)

    def every_hit(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> Iterator[hits.Hit]:
        """All hits with all their moments, whatever the limit and the cursor in ``params``.

        Each has ``match`` and ``missing``, as :meth:`search` says them. If no video has all words, these are
        the best places, of so many videos at most as a search shows.

        Raises:
            BadRequest: Elasticsearch does not accept the search.
        """
        _refuse_meaning(params)
        scope = Scope(self._server, user_id, titles)
        query = _query(params)
        params = replace(params, limit=self._export_page, cursor=None)
        nothing = True
        for found in self._pages.every(scope, query, params, placing or Placing()):
            nothing = False
            yield {**_hit(found, query, placing, limit=None), "match": "all_words", "missing": []}
        if nothing and params.among is None:
            params = replace(params, limit=MAXIMUM_LIMIT)
            places = self._places(scope, query, params, placing or Placing())
            for place in places.hits if places else ():
                shown = _place(place, query, placing, limit=None)
                missing = shown.pop("missing", [])
                yield {**shown, "match": "some_words", "missing": missing}

    def ids(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> list[str]:
        """The ids of all videos that a search finds, in no order, whatever its order and limit.

        A video that has only some of the words is none of them.

        Raises:
            BadRequest: Elasticsearch does not accept the search, or it finds too many videos.
        """
        _refuse_meaning(params)
        scope = Scope(self._server, user_id, titles)
        return self._pages.ids(scope, _query(params), params, placing or Placing())

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
    ) -> Iterator[Mapping[str, Any]]:
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
        _refuse_meaning(params)
        scope = Scope(self._server, user_id, {})

        def renewed() -> Scope:
            nonlocal scope
            scope = Scope(self._server, user_id, titles())
            return scope

        for found in self._pages.parts(renewed, _query(params), params, placing or Placing(), part):
            yield found, scope

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

    def _places(self, scope: Scope, query: Query, params: Params, placing: Placing) -> Places | None:
        """The places that have most of the words."""
        loose = some_words.loosen(query, params.required)
        if loose is None:
            return None
        return some_words.read(self._pages, Reading(scope, query, params, None, True, placing), loose)

    def _did_you_mean(
        self, scope: Scope, query: Query, params: Params, placing: Placing, found: int
    ) -> str | None:
        """Another spelling of the query. The search succeeds even if none can be looked for."""

        def count(q: str) -> int:
            corrected = replace(params, q=q)
            return self._pages.count(scope, _query(corrected), corrected, placing)

        if not scope.playlists or found > spelling.FEW:
            return None
        try:
            return spelling.did_you_mean(scope, params.q, query, found, count)
        except (SearchRefused, BadRequest) as error:
            if not (isinstance(error, SearchRefused) and error.no_index):
                logs.error("no other spelling could be looked for", error, detail=error.detail)
            return None


def _refuse_meaning(params: Params) -> None:
    if params.by == "meaning":
        # It has nearest passages, and no end at which a video is no hit any more.
        raise BadRequest("by: a search by meaning cannot be saved or exported. Search by words for that.")


def _query(params: Params) -> Query:
    return some_words.demanding(parse(params.q), params.required)


def _hit(
    found: Mapping[str, Any],
    query: Query,
    placing: Placing | None,
    limit: int | None = hits.MOMENTS,
    said: hits.Spoken | None = None,
) -> hits.Hit:
    shown = hits.hit(found, query, limit, said)
    if placing:
        shown["added_at"] = placing.added_at(shown["video_id"])
    return shown


def _place(place: Place, query: Query, placing: Placing | None, limit: int | None = hits.MOMENTS) -> hits.Hit:
    return {**_hit(place.found, query, placing, limit, place.said), "missing": list(place.missing)}


def _notices(query: Query, params: Params, page: Page, places: Places | None) -> list[str]:
    notices = list(query.notices)
    if places:
        where = "within your filters " if params.narrows else ""
        notices.append(f"No video {where}has all of your words. These places have most of them.")
    if page.partial or (places and places.partial):
        notices.append("The search took too long and was ended early; there may be more hits.")
    return notices
