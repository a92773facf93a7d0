"""Pages of hits in an order that the search index knows: by relevance, date or length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.search import facets, hits
from shared.search.compiler import Clause, Compiler
from shared.search.cursor import Cursor
from shared.search.params import Params
from shared.search.placing import Placing, within
from shared.search.query import Phrase, Query
from shared.search.scope import Scope

_SORTS: dict[str, list[dict[str, Any]]] = {
    "relevance": [{"_score": "desc"}],
    "newest": [{"published_at": {"order": "desc", "missing": "_last"}}],
    "oldest": [{"published_at": {"order": "asc", "missing": "_last"}}],
    "longest": [{"duration_seconds": {"order": "desc", "missing": "_last"}}],
    "shortest": [{"duration_seconds": {"order": "asc", "missing": "_last"}}],
}
#: Gives hits of equal rank the same order on all pages.
TIE_BREAK: dict[str, Any] = {"video_id": "asc"}
#: The best hits of a first page are ordered by how near the words are to each other, too.
_RESCORED = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Hits as Elasticsearch returns them.

    ``cursor``: of the next page; None on the last one. ``partial``: Elasticsearch ran out of time, so hits
    may be missing. ``counts``: the facets, if they were asked for.
    """

    hits: Sequence[Mapping[str, Any]] = ()
    total: int = 0
    counts: facets.Facets | None = None
    cursor: Cursor | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read: see :meth:`shared.search.pages.Pages.read`."""

    scope: Scope
    query: Query
    params: Params
    cursor: Cursor | None
    count_facets: bool
    placing: Placing


def read_page(reading: Reading, compiler: Compiler) -> Page:
    """The first page, or the page after the cursor. Raises as :meth:`Scope.search`."""
    if reading.cursor:
        return _next_page(reading, compiler, reading.cursor)
    return _first_page(reading, compiler)


def count_hits(reading: Reading, compiler: Compiler) -> int:
    """Their number on all pages. Raises as :meth:`Scope.search`."""
    allowed = _allowed(facets.filters(reading.scope, reading.params))
    clause = clause_of(reading, compiler, nearness=False)
    answer = reading.scope.search(clause, size=0, track_total_hits=True, **allowed)
    return int(answer["hits"]["total"]["value"])


def _first_page(reading: Reading, compiler: Compiler) -> Page:
    page = _best_hits(reading, compiler)
    if len(page.hits) >= page.total:
        return page
    ids = [hit["_id"] for hit in page.hits]
    pit = reading.scope.open_point_in_time()
    return replace(page, cursor=Cursor(reading.params.signature(), pit, page.total, ids, []))


def _best_hits(reading: Reading, compiler: Compiler) -> Page:
    """The first page without its cursor."""
    scope = reading.scope
    chosen = facets.filters(scope, reading.params)
    clause, body = _best(reading, compiler)
    body |= _allowed(chosen)
    every = {**body, "track_total_hits": True}
    counting = {"size": 0, "track_total_hits": True, **_allowed(chosen)}
    if not reading.count_facets:
        answer = scope.search(clause, **every)
        total = answer["hits"]["total"]["value"]
        return Page(answer["hits"]["hits"], total, partial=bool(answer["timed_out"]))
    if _is_rare(reading.query) and not chosen:
        # Mostly all hits are on this page. Then they are counted here, which costs nothing.
        answer = scope.search(clause, named=True, **every)
        shown, total = answer["hits"]["hits"], answer["hits"]["total"]["value"]
        if total <= reading.params.limit:
            counts = facets.of_hits(shown, scope)
            return Page(shown, total, counts, partial=bool(answer["timed_out"]))
        counted = scope.search(clause, aggs=facets.aggregations(scope, chosen), **counting)
    else:
        # Elasticsearch works on both at the same time. Counting needs no scores.
        counting["aggs"] = facets.aggregations(scope, chosen)
        best = {**body, "track_total_hits": False}
        answer, counted = scope.search_all([(clause, best), (clause, counting)])
    # Something may have been indexed or removed between the two.
    total = max(counted["hits"]["total"]["value"], len(answer["hits"]["hits"]))
    partial = bool(answer["timed_out"] or counted["timed_out"])
    counts = facets.view(counted["aggregations"], scope, total)
    return Page(answer["hits"]["hits"], total, counts, partial=partial)


def _best(reading: Reading, compiler: Compiler) -> tuple[Clause, dict[str, Any]]:
    """The query of a first page, and how its hits are ordered and returned."""
    body = _body(reading, compiler)
    near = compiler.nearness(reading.query) if reading.params.sort == "relevance" else None
    if near:
        # For all hits, Elasticsearch would read every position of words that may be in each video.
        body["rescore"] = {"window_size": _RESCORED, "query": {"rescore_query": near}}
    else:
        body["sort"] = _sort(reading.params)
    return clause_of(reading, compiler, nearness=False), body


def _next_page(reading: Reading, compiler: Compiler, cursor: Cursor) -> Page:
    scope, params = reading.scope, reading.params
    chosen = facets.filters(scope, params)
    body = _body(reading, compiler) | _allowed(chosen, cursor.first)
    if cursor.after:
        body["search_after"] = cursor.after
    if reading.count_facets:
        body["aggs"] = facets.aggregations(scope, chosen)
    answer = scope.search(clause_of(reading, compiler), pit=cursor.pit, sort=_sort(params), **body)
    shown, pit = answer["hits"]["hits"], answer.get("pit_id", cursor.pit)
    following = None
    if len(shown) == params.limit:
        following = replace(cursor, pit=pit, after=shown[-1]["sort"])
    else:
        scope.close_point_in_time(pit)
    counted = facets.view(answer["aggregations"], scope, cursor.total) if reading.count_facets else None
    return Page(shown, cursor.total, counted, following, bool(answer["timed_out"]))


def _body(reading: Reading, compiler: Compiler) -> dict[str, Any]:
    """The part of a request that says how hits are returned."""
    body: dict[str, Any] = {"size": reading.params.limit, "_source": hits.SOURCE}
    if highlight := compiler.highlight(reading.query):
        body["highlight"] = highlight
    return body


def _sort(params: Params) -> list[dict[str, Any]]:
    return [*_SORTS[params.sort], TIE_BREAK]


def _allowed(chosen: Mapping[str, Clause], shown: Sequence[str] = ()) -> dict[str, Any]:
    """The part of a request that leaves hits out that the facets count. ``shown``: ids of earlier pages."""
    if not chosen and not shown:
        return {}
    excluded = [{"ids": {"values": shown}}] if shown else []
    return {"post_filter": {"bool": {"filter": list(chosen.values()), "must_not": excluded}}}


def _is_rare(query: Query) -> bool:
    """Whether few videos are expected: a phrase of three words or more has to be there."""
    phrases = (part for part in query.anded() if isinstance(part, Phrase) and not part.slop)
    return any(len(phrase.text.split()) > 2 for phrase in phrases)


def clause_of(reading: Reading, compiler: Compiler, *, nearness: bool = True) -> Clause:
    """What a hit has to match, whatever is chosen in the facets. ``nearness``: see :meth:`Compiler.query`."""
    clause = compiler.query(reading.query, reading.params.q, nearness=nearness)
    return within(facets.limited(clause, reading.params), reading.params, reading.placing)
