"""Pages of a search: the requests to Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from shared import logs
from shared.errors import BadRequest, Transient
from shared.search import facets, hits
from shared.search.compiler import Clause, Compiler, Weights
from shared.search.cursor import Cursor
from shared.search.errors import SearchRefused
from shared.search.params import PLACED, Params
from shared.search.placing import WINDOW, Placing, page_after
from shared.search.query import Query
from shared.search.ranked import TIE_BREAK, Page, Reading, clause_of, count_hits, read_page
from shared.search.scope import REMEMBERED, LibraryAnalyzers, Scope

#: Hits as nothing but their sort value, the id. An `_id` is stored beside the transcript: reading 5,000 of
#: them took three seconds, and reading the sort values takes 0.1.
_IDS_ONLY: dict[str, Any] = {"sort": [TIE_BREAK], "source": False, "stored_fields": "_none_"}
#: A saved search has no more hits.
MAXIMUM_IDS = 20_000

_NO_INDEX = "The search index is not there."
_TOO_LONG = "The search took too long."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """How hits are read: ``size`` at a time, in the order of ``sort``, after the sort values ``after``.

    ``source``: the fields of their documents, as Elasticsearch takes them.
    """

    sort: Sequence[Clause]
    size: int
    source: Mapping[str, Sequence[str]]
    after: Sequence[Any] = ()


class Pages:
    """Reads pages of searches."""

    def __init__(self, analyzers: LibraryAnalyzers, weights: Weights) -> None:
        self._analyzers = analyzers
        self._weights = weights

    def read(
        self,
        scope: Scope,
        query: Query,
        params: Params,
        cursor: Cursor | None = None,
        *,
        count_facets: bool,
        placing: Placing = Placing(),  # noqa: B008 it is frozen
    ) -> Page:
        """The first page, or the page after ``cursor``. ``query``: ``params.q``, parsed.

        ``placing``: what the library says, if :func:`shared.search.placing.needs_placing`.

        Raises:
            BadRequest: Elasticsearch does not accept the search.
            Transient: Elasticsearch does not answer.
        """
        request = _request_placed if params.sort in PLACED else read_page
        reading = Reading(scope, query, params, cursor, count_facets, placing)
        return self.answer(reading, request) or Page()

    def count(self, scope: Scope, query: Query, params: Params, placing: Placing) -> int:
        """The number of all hits. Raises as :meth:`read`."""
        return self.answer(Reading(scope, query, params, None, False, placing), count_hits) or 0

    def every(
        self, scope: Scope, query: Query, params: Params, placing: Placing
    ) -> Iterator[Mapping[str, Any]]:
        """All hits, of which ``params.limit`` are read at a time. Raises as :meth:`read`."""
        if params.sort in PLACED:
            reading = Reading(scope, query, params, None, False, placing)
            found = self.answer(reading, _placed)
            ids = found.ids if found else ()
            for start in range(0, len(ids), params.limit):
                part = ids[start : start + params.limit]
                yield from self.answer(reading, partial(_those, ids=part)) or ()
            return
        cursor: Cursor | None = None
        while True:
            page = self.read(scope, query, params, cursor, count_facets=False, placing=placing)
            yield from page.hits
            cursor = page.cursor
            if cursor is None:
                return

    def ids(
        self,
        scope: Scope,
        query: Query,
        params: Params,
        placing: Placing = Placing(),  # noqa: B008 it is frozen
    ) -> list[str]:
        """The ids of all hits, in no order that means anything. ``placing``: as for :meth:`read`.

        Raises:
            BadRequest: as :meth:`read`, or there are more than :data:`MAXIMUM_IDS`.
            Transient: as :meth:`read`, or Elasticsearch ran out of time, or has no index.
        """
        reading = Reading(scope, query, params, None, False, placing)
        # Nothing remembered: a hit in a language that is new to the library must not be missing.
        found = self.answer(reading, _ids, remembered=0)
        if found is None and scope.playlists:
            # Whoever keeps the ids would take all hits for gone.
            raise Transient(_NO_INDEX)
        return found or []

    def parts(
        self, scope: Callable[[], Scope], query: Query, params: Params, placing: Placing, part: Part
    ) -> Iterator[Mapping[str, Any]]:
        """All hits without marks, in an order that indexing does not change. Raises as :meth:`ids`.

        ``scope``: asked before each request, so that what is removed meanwhile is left out. The
        ``matched_queries`` of a hit are the playlists that hold it.
        """
        while True:
            reading = Reading(scope(), query, params, None, False, placing)
            found = self.answer(reading, partial(_part, part=part))
            if found is None and reading.scope.playlists:
                raise Transient(_NO_INDEX)
            yield from found or ()
            if not found or len(found) < part.size:
                return
            part = replace(part, after=found[-1]["sort"])

    def answer(
        self,
        reading: Reading,
        request: Callable[[Reading, Compiler], T],
        remembered: float = REMEMBERED,
    ) -> T | None:
        """The answer to a request. None if there is nothing to search. Raises as :meth:`read`."""
        if not reading.scope.playlists:
            return None
        try:
            analyzers = self._analyzers.of(reading.scope, remembered)
            compiler = Compiler.for_query(reading.query, reading.params.texts, analyzers, self._weights)
            return _try(request, reading, compiler)
        except SearchRefused as error:
            if error.no_index:
                # Nothing has been indexed yet.
                return None
            logs.error("a search was refused", error, detail=error.detail)
            raise BadRequest("This could not be searched. Try fewer or simpler words.") from error


def _try(request: Callable[[Reading, Compiler], T], reading: Reading, compiler: Compiler) -> T:
    cursor = reading.cursor
    try:
        return request(reading, compiler)
    except SearchRefused as error:
        if cursor is not None and error.gone:
            # The next page was asked for too late: read it from the index as it is now.
            reading = replace(reading, cursor=replace(cursor, pit=reading.scope.open_point_in_time()))
        elif error.too_costly:
            compiler = replace(compiler, stemming=False)
        else:
            raise
        return request(reading, compiler)


def _request_placed(reading: Reading, compiler: Compiler) -> Page:
    """A page in the order of the library: finds the ids of all hits, then reads those of the page."""
    params, cursor = reading.params, reading.cursor
    found = _placed(reading, compiler)
    shown = page_after(found.ids, cursor.after if cursor else (), params.limit)
    following, total = None, cursor.total if cursor else found.total
    if shown and found.ids[-1] != shown[-1]:
        before = cursor.after[0] if cursor else 0
        following = Cursor(params.signature(), "", total, [], [before + len(shown), shown[-1]])
    counted = facets.view(found.facets, reading.scope, total) if found.facets else None
    return Page(_those(reading, compiler, shown), total, counted, following, found.partial)


@dataclass(frozen=True, slots=True)
class _Placed:
    """All hits in the order of the library. ``partial``: as :class:`Page` says it."""

    ids: Sequence[str]
    total: int
    facets: Mapping[str, Any] | None
    partial: bool


def _placed(reading: Reading, compiler: Compiler) -> _Placed:
    scope, clause = reading.scope, clause_of(reading, compiler)
    chosen = facets.filters(scope, reading.params)
    body: dict[str, Any] = {"size": WINDOW, "track_total_hits": True, **_IDS_ONLY}
    if chosen:
        body["post_filter"] = {"bool": {"filter": list(chosen.values())}}
    aggregations = facets.aggregations(scope, chosen) if reading.count_facets else None
    answers = [scope.search(clause, **body, aggs=aggregations)]
    while len(last := answers[-1]["hits"]["hits"]) == WINDOW:
        answers.append(scope.search(clause, search_after=last[-1]["sort"], **body))
    ids = [hit["sort"][0] for answer in answers for hit in answer["hits"]["hits"]]
    return _Placed(
        reading.placing.sorted(ids),
        answers[0]["hits"]["total"]["value"],
        answers[0].get("aggregations"),
        any(answer["timed_out"] for answer in answers),
    )


def _those(reading: Reading, compiler: Compiler, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    """The hits of these ids, in their order."""
    if not ids:
        return []
    limited = {"bool": {"must": [clause_of(reading, compiler)], "filter": [{"ids": {"values": ids}}]}}
    body: dict[str, Any] = {"size": len(ids), "source": hits.SOURCE}
    if highlight := compiler.highlight(reading.query):
        body["highlight"] = highlight
    by_id = {each["_id"]: each for each in reading.scope.search(limited, **body)["hits"]["hits"]}
    return [by_id[each] for each in ids if each in by_id]


def _ids(reading: Reading, compiler: Compiler) -> list[str]:
    chosen = facets.filters(reading.scope, reading.params)
    clause = {"bool": {"filter": [clause_of(reading, compiler), *chosen.values()]}}
    body: dict[str, Any] = {"size": WINDOW, "track_total_hits": False, **_IDS_ONLY}
    found: list[str] = []
    while len(found) <= MAXIMUM_IDS:
        answer = reading.scope.search(clause, **body)
        if answer["timed_out"]:
            raise Transient(_TOO_LONG)
        page = [hit["sort"][0] for hit in answer["hits"]["hits"]]
        found += page
        if len(page) < WINDOW:
            return found
        body["search_after"] = page[-1:]
    raise BadRequest(f"This search finds more than {MAXIMUM_IDS:,} videos. Narrow it.")


def _part(reading: Reading, compiler: Compiler, part: Part) -> list[Mapping[str, Any]]:
    scope = reading.scope
    chosen = facets.filters(scope, reading.params)
    clause: Clause = {"bool": {"filter": [clause_of(reading, compiler), *chosen.values()]}}
    body: dict[str, Any] = {"size": part.size, "sort": part.sort, "source": part.source}
    if part.after:
        body["search_after"] = part.after
    answer = scope.search(clause, named=True, track_total_hits=False, **body)
    if answer["timed_out"]:
        raise Transient(_TOO_LONG)
    return list(answer["hits"]["hits"])
