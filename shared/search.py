"""Search in the caller's library: ``GET /api/search``.

Which library is asked comes first and is never optional: see shared.search_scope.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared import logs, query, search_facets, search_hits, search_suggest
from shared.errors import BadRequest, Permanent
from shared.query import Query
from shared.search_params import Params
from shared.search_query import Clause, Compiler
from shared.search_scope import (
    Scope,
    analyzers_within,
    close_point_in_time,
    gone,
    open_point_in_time,
    too_costly,
    unknown_index,
)

_SORTS: dict[str, list[dict[str, Any]]] = {
    "relevance": [{"_score": "desc"}],
    "newest": [{"published_at": {"order": "desc", "missing": "_last"}}],
    "oldest": [{"published_at": {"order": "asc", "missing": "_last"}}],
    "longest": [{"duration_seconds": {"order": "desc", "missing": "_last"}}],
    "shortest": [{"duration_seconds": {"order": "asc", "missing": "_last"}}],
}
#: Equal hits stay in one order over all pages.
_TIE_BREAK: dict[str, Any] = {"video_id": "asc"}
#: Hits that an export reads at a time.
_EXPORT_PAGE = 25


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page ended.

    The first page comes from the index as it is: most searches have no other, and freezing the index for
    each would cost as much as a search. For those that have, it is frozen (``pit``), and all further pages
    are what is in there but for the hits of the ``first`` page, from the sort values ``after`` on. So no
    hit comes twice or is lost, whatever is indexed between.
    """

    signature: str
    pit: str
    #: Of all pages, as the first one had it.
    total: int
    first: list[str]
    after: list[Any]

    def encode(self) -> str:
        parts = [self.signature, self.pit, self.total, self.first, self.after]
        text = json.dumps(parts, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, params: Params) -> _Cursor:
        try:
            parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            signature, pit, total, first, after = parts
            if not pit:
                raise ValueError("a page that does not follow one")
            cursor = cls(str(signature), str(pit), int(total), [str(each) for each in first], list(after))
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
            raise BadRequest(
                f"cursor: expected one that a search has returned, found {text[:40]!r}."
            ) from error
        if cursor.signature != params.signature():
            raise BadRequest("cursor: it belongs to another search; leave it out to begin this one.")
        return cursor


@dataclass(frozen=True, slots=True)
class _Page:
    hits: list[dict[str, Any]]
    total: int
    facets: Mapping[str, Any] | None
    cursor: _Cursor | None
    #: Elasticsearch ran out of time: there may be more.
    partial: bool = False


def search(
    library: Sequence[str], user_id: str, params: Params, titles: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The answer to ``GET /api/search``, as the contract has it.

    ``notices``, there only when there is something to say, are sentences for the person: what of the
    query was not searched, or that the search was ended early.

    Args:
        library: ids of the playlists in the caller's library; nothing else is searched.
        titles: their titles, for the facet.

    Raises:
        BadRequest: the cursor is not one of this search.
        Transient: Elasticsearch does not answer.
    """
    begun = time.monotonic()
    scope = Scope.of(user_id, library)
    asked = query.parse(params.q)
    cursor = _Cursor.decode(params.cursor, params) if params.cursor else None
    page = _page(scope, asked, params, cursor, facets=True)
    facets = (
        search_facets.view(page.facets, scope, page.total, titles or {})
        if page.facets
        else search_facets.nothing()
    )
    answer: dict[str, Any] = {
        "total": page.total,
        "took_ms": 0,
        "hits": [search_hits.hit(found, asked) for found in page.hits],
        "facets": facets,
        "did_you_mean": None if cursor else _did_you_mean(scope, asked, params, page.total),
        "cursor": page.cursor.encode() if page.cursor else None,
    }
    notices = list(asked.notices)
    if page.partial:
        notices.append("The search took too long and was ended early; there may be more hits.")
    if notices:
        answer["notices"] = notices
    answer["took_ms"] = round((time.monotonic() - begun) * 1000)
    return answer


def every_hit(library: Sequence[str], user_id: str, params: Params) -> Iterator[dict[str, Any]]:
    """All hits with all their moments, page by page, from the index as it is now. Raises as `search`."""
    scope = Scope.of(user_id, library)
    asked = query.parse(params.q)
    params = replace(params, limit=_EXPORT_PAGE, cursor=None)
    cursor: _Cursor | None = None
    while True:
        page = _page(scope, asked, params, cursor, facets=False)
        for found in page.hits:
            yield search_hits.hit(found, asked, limit=None)
        cursor = page.cursor
        if cursor is None:
            return


def _did_you_mean(scope: Scope, asked: Query, params: Params, found: int) -> str | None:
    """A failure here takes nothing from the answer; that it failed is logged."""

    def count(q: str) -> int:
        corrected = replace(params, q=q, limit=1)
        return _page(scope, query.parse(q), corrected, None, facets=False).total

    if not scope.playlists or found > search_suggest.FEW:
        return None
    try:
        return search_suggest.did_you_mean(scope, params.q, asked, found, count)
    except Permanent as error:
        if not unknown_index(error):
            logs.error("another spelling could not be looked for", error)
        return None


def _page(scope: Scope, asked: Query, params: Params, cursor: _Cursor | None, *, facets: bool) -> _Page:
    nothing = _Page([], 0, None, None)
    if not scope.playlists:
        return nothing
    try:
        compiler = Compiler.of(asked, params.texts, analyzers_within(scope))
        try:
            return _ask(scope, compiler, asked, params, cursor, facets=facets)
        except Permanent as error:
            if cursor is not None and gone(error):
                # The frozen index was let go: the next page comes from the present one.
                cursor = replace(cursor, pit=open_point_in_time())
            elif too_costly(error):
                # Many words in many languages: only as they were typed, then.
                compiler = replace(compiler, stemming=False)
            else:
                raise
            return _ask(scope, compiler, asked, params, cursor, facets=facets)
    except Permanent as error:
        if unknown_index(error):
            return nothing
        logs.error("a search was refused", error)
        raise BadRequest("This could not be searched. Try fewer or simpler words.") from error


def _ask(
    scope: Scope,
    compiler: Compiler,
    asked: Query,
    params: Params,
    cursor: _Cursor | None,
    *,
    facets: bool,
) -> _Page:
    chosen = search_facets.filters(scope, params)
    body: dict[str, Any] = {
        "size": params.limit,
        "track_total_hits": True,
        "sort": [*_SORTS[params.sort], _TIE_BREAK],
        "source": search_hits.SOURCE,
    }
    if highlight := compiler.highlight(asked):
        body["highlight"] = highlight
    if chosen or cursor:
        shown = [{"ids": {"values": cursor.first}}] if cursor else []
        body["post_filter"] = {"bool": {"filter": list(chosen.values()), "must_not": shown}}
    if facets:
        body["aggs"] = search_facets.aggregations(scope, chosen)
    if cursor and cursor.after:
        body["search_after"] = cursor.after
    pit = cursor.pit if cursor else None
    answer = scope.search(_narrowed(compiler.query(asked, params.q), params), pit=pit, **body)
    hits = answer["hits"]["hits"]
    total = cursor.total if cursor else answer["hits"]["total"]["value"]
    following = _following(params, cursor, answer, total)
    return _Page(hits, total, answer.get("aggregations"), following, bool(answer["timed_out"]))


def _following(
    params: Params, cursor: _Cursor | None, answer: Mapping[str, Any], total: int
) -> _Cursor | None:
    hits = answer["hits"]["hits"]
    if cursor is None:
        if total <= len(hits):
            return None
        shown = [hit["_id"] for hit in hits]
        return _Cursor(params.signature(), open_point_in_time(), total, shown, [])
    pit = answer.get("pit_id", cursor.pit)
    if len(hits) < params.limit:
        close_point_in_time(pit)
        return None
    return replace(cursor, pit=pit, after=hits[-1]["sort"])


def _narrowed(clause: Clause, params: Params) -> Clause:
    """By the filters that are no facets."""
    bounds = {"gte": params.minimum_minutes, "lte": params.maximum_minutes}
    seconds = {name: minutes * 60 for name, minutes in bounds.items() if minutes is not None}
    if not seconds:
        return clause
    return {"bool": {"must": [clause], "filter": [{"range": {"duration_seconds": seconds}}]}}
