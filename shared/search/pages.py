"""Pages of a search: the requests to Elasticsearch, and the cursor with which the next page is asked for."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from shared import logs
from shared.errors import BadRequest, Transient
from shared.search import facets, hits
from shared.search.compiler import Clause, Compiler, Weights, length_clause
from shared.search.errors import SearchRefused
from shared.search.params import Params
from shared.search.query import Query
from shared.search.scope import REMEMBERED, LibraryAnalyzers, Scope

_SORTS: dict[str, list[dict[str, Any]]] = {
    "relevance": [{"_score": "desc"}],
    "newest": [{"published_at": {"order": "desc", "missing": "_last"}}],
    "oldest": [{"published_at": {"order": "asc", "missing": "_last"}}],
    "longest": [{"duration_seconds": {"order": "desc", "missing": "_last"}}],
    "shortest": [{"duration_seconds": {"order": "asc", "missing": "_last"}}],
}
#: Gives hits of equal rank the same order on all pages.
_TIE_BREAK: dict[str, Any] = {"video_id": "asc"}
#: Elasticsearch returns no more ids at once. A saved search has no more hits than MAXIMUM_IDS.
_IDS = 10_000
MAXIMUM_IDS = 20_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page.

    The first page is read from the index as it is. Only if there is a second one, a point in time is opened:
    most searches have one page, and a point in time costs as much as a search. All later pages are read from
    it, from the sort values ``after`` on and without the hits of the ``first`` page. So no hit is repeated
    or lost, whatever is indexed meanwhile.

    ``signature``: of the search. ``pit``: the point in time. ``total``: hits, as the first page counted them.
    """

    signature: str
    pit: str
    total: int
    first: Sequence[str]
    after: Sequence[Any]

    def encode(self) -> str:
        parts = [self.signature, self.pit, self.total, self.first, self.after]
        text = json.dumps(parts, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, params: Params) -> Cursor:
        """Raises BadRequest when it is not a cursor, or belongs to another search than ``params``."""
        try:
            parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            signature, pit, total, first, after = parts
            if not pit:
                raise ValueError("no point in time")
            cursor = cls(str(signature), str(pit), int(total), [str(each) for each in first], list(after))
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
            raise BadRequest(
                f"cursor: expected one that a search has returned, found {text[:40]!r}."
            ) from error
        if cursor.signature != params.signature():
            raise BadRequest("cursor: it belongs to another search; leave it out to begin this one.")
        return cursor


@dataclass(frozen=True, slots=True)
class Page:
    """Hits as Elasticsearch returns them.

    ``cursor``: of the next page; None on the last one. ``partial``: Elasticsearch ran out of time, so hits
    may be missing.
    """

    hits: Sequence[Mapping[str, Any]] = ()
    total: int = 0
    facets: Mapping[str, Any] | None = None
    cursor: Cursor | None = None
    partial: bool = False


class Pages:
    """Reads pages of searches."""

    def __init__(self, analyzers: LibraryAnalyzers, weights: Weights) -> None:
        self._analyzers = analyzers
        self._weights = weights

    def read(
        self, scope: Scope, query: Query, params: Params, cursor: Cursor | None = None, *, count_facets: bool
    ) -> Page:
        """The first page, or the page after ``cursor``. ``query``: ``params.q``, parsed.

        Raises:
            BadRequest: Elasticsearch does not accept the search.
            Transient: Elasticsearch does not answer.
        """

        def ask(compiler: Compiler) -> Page:
            return _read(scope, compiler, query, params, cursor, count_facets)

        return self._ask(scope, query, params, ask) or Page()

    def ids(self, scope: Scope, query: Query, params: Params) -> list[str]:
        """The ids of all hits, in no order that means anything.

        Raises:
            BadRequest: as :meth:`read`, or there are more than :data:`MAXIMUM_IDS`.
            Transient: as :meth:`read`, or Elasticsearch ran out of time, or has no index.
        """

        def ask(compiler: Compiler) -> list[str]:
            try:
                return _ids(scope, compiler, query, params)
            except SearchRefused as error:
                if not error.too_costly:
                    raise
                return _ids(scope, replace(compiler, stemming=False), query, params)

        # Nothing remembered: a hit in a language that is new to the library must not be missing.
        found = self._ask(scope, query, params, ask, remembered=0)
        if found is None and scope.playlists:
            # Whoever keeps the ids would take all hits for gone.
            raise Transient("The search index is not there.")
        return found or []

    def _ask(
        self,
        scope: Scope,
        query: Query,
        params: Params,
        ask: Callable[[Compiler], T],
        remembered: float = REMEMBERED,
    ) -> T | None:
        """None if there is nothing to search."""
        if not scope.playlists:
            return None
        try:
            analyzers = self._analyzers.of(scope, remembered)
            return ask(Compiler.for_query(query, params.texts, analyzers, self._weights))
        except SearchRefused as error:
            if error.no_index:
                # Nothing has been indexed yet.
                return None
            logs.error("a search was refused", error, detail=error.detail)
            raise BadRequest("This could not be searched. Try fewer or simpler words.") from error


def _read(
    scope: Scope, compiler: Compiler, query: Query, params: Params, cursor: Cursor | None, count_facets: bool
) -> Page:
    try:
        return _request(scope, compiler, query, params, cursor, count_facets)
    except SearchRefused as error:
        if cursor is not None and error.gone:
            # The next page was asked for too late: read it from the index as it is now.
            cursor = replace(cursor, pit=scope.open_point_in_time())
        elif error.too_costly:
            compiler = replace(compiler, stemming=False)
        else:
            raise
        return _request(scope, compiler, query, params, cursor, count_facets)


def _request(
    scope: Scope, compiler: Compiler, query: Query, params: Params, cursor: Cursor | None, count_facets: bool
) -> Page:
    chosen = facets.filters(scope, params)
    body: dict[str, Any] = {
        "size": params.limit,
        "track_total_hits": True,
        "sort": [*_SORTS[params.sort], _TIE_BREAK],
        "source": hits.SOURCE,
    }
    if highlight := compiler.highlight(query):
        body["highlight"] = highlight
    if chosen or cursor:
        shown = [{"ids": {"values": cursor.first}}] if cursor else []
        body["post_filter"] = {"bool": {"filter": list(chosen.values()), "must_not": shown}}
    if count_facets:
        body["aggs"] = facets.aggregations(scope, chosen)
    if cursor and cursor.after:
        body["search_after"] = cursor.after
    clause = _limited(compiler.query(query, params.q), params)
    answer = scope.search(clause, pit=cursor.pit if cursor else None, **body)
    total = cursor.total if cursor else answer["hits"]["total"]["value"]
    following = _following(scope, params, cursor, answer, total)
    return Page(
        answer["hits"]["hits"], total, answer.get("aggregations"), following, bool(answer["timed_out"])
    )


def _following(
    scope: Scope, params: Params, cursor: Cursor | None, answer: Mapping[str, Any], total: int
) -> Cursor | None:
    """The cursor of the next page."""
    found = answer["hits"]["hits"]
    if cursor is None:
        if total <= len(found):
            return None
        shown = [hit["_id"] for hit in found]
        return Cursor(params.signature(), scope.open_point_in_time(), total, shown, [])
    pit = answer.get("pit_id", cursor.pit)
    if len(found) < params.limit:
        scope.close_point_in_time(pit)
        return None
    return replace(cursor, pit=pit, after=found[-1]["sort"])


def _ids(scope: Scope, compiler: Compiler, query: Query, params: Params) -> list[str]:
    matching = _limited(compiler.query(query, params.q), params)
    clause = {"bool": {"filter": [matching, *facets.filters(scope, params).values()]}}
    body: dict[str, Any] = {"size": _IDS, "sort": [_TIE_BREAK], "source": False, "track_total_hits": False}
    found: list[str] = []
    while len(found) <= MAXIMUM_IDS:
        answer = scope.search(clause, **body)
        if answer["timed_out"]:
            raise Transient("The search took too long.")
        page = [hit["_id"] for hit in answer["hits"]["hits"]]
        found += page
        if len(page) < _IDS:
            return found
        body["search_after"] = page[-1:]
    raise BadRequest(f"This search finds more than {MAXIMUM_IDS:,} videos. Narrow it.")


def _limited(clause: Clause, params: Params) -> Clause:
    """Durations and ids are no facets, so their filters are a part of the query."""
    filters: list[Clause] = []
    bounds = {"gte": params.minimum_minutes, "lte": params.maximum_minutes}
    seconds = {name: minutes * 60 for name, minutes in bounds.items() if minutes is not None}
    if seconds:
        filters.append(length_clause(**seconds))
    if params.among is not None:
        filters.append({"terms": {"video_id": list(params.among)}})
    return {"bool": {"must": [clause], "filter": filters}} if filters else clause
