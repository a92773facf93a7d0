"""Facets: the number of hits of each playlist, channel, language and year.

Each facet is narrowed by the filters of all other facets and not by its own, so that a person sees how
many hits another value would have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypedDict

from shared.search.compiler import (
    EVERYTHING,
    Clause,
    language_clause,
    length_clause,
    published_clause,
)
from shared.search.params import Params
from shared.search.scope import Scope

#: Values shown of each facet.
SIZE = 30
#: More codes of languages than a library has.
_LANGUAGE_CODES = 1_000
#: The most playlists that are counted. Each one costs a filter.
MAXIMUM_PLAYLISTS = 100


class FacetValue(TypedDict):
    """A value, and the hits that it would have."""

    value: str
    count: int


class TitledValue(FacetValue):
    """A value with a title, and the hits that it would have."""

    title: str


class Facets(TypedDict):
    """Values with most hits first; years newest first."""

    playlists: list[TitledValue]
    channels: list[TitledValue]
    languages: list[FacetValue]
    years: list[FacetValue]


def filters(scope: Scope, params: Params) -> dict[str, Clause]:
    """Facet → filter, for each facet of which the caller has chosen values."""
    chosen: dict[str, Clause] = {}
    if params.playlists:
        chosen["playlists"] = scope.in_playlists(params.playlists)
    if params.channels:
        terms = [{"terms": {field: list(params.channels)}} for field in ("channel_id", "channel")]
        chosen["channels"] = {"bool": {"should": terms, "minimum_should_match": 1}}
    if params.languages:
        languages = [language_clause(code) for code in params.languages]
        chosen["languages"] = {"bool": {"should": languages, "minimum_should_match": 1}}
    if params.after or params.before:
        chosen["years"] = published_clause(params.after, params.before)
    return chosen


def limited(clause: Clause, params: Params) -> Clause:
    """The clause with the filters that are no facets, durations and ids: they are a part of the query."""
    filters: list[Clause] = []
    bounds = {"gte": params.minimum_minutes, "lte": params.maximum_minutes}
    seconds = {name: minutes * 60 for name, minutes in bounds.items() if minutes is not None}
    if seconds:
        filters.append(length_clause(**seconds))
    if params.among is not None:
        filters.append({"terms": {"video_id": list(params.among)}})
    return {"bool": {"must": [clause], "filter": filters}} if filters else clause


def aggregations(scope: Scope, chosen: Mapping[str, Clause]) -> dict[str, Any]:
    """The ``aggs`` section of a request. ``chosen``: the result of :func:`filters`."""
    counted = {each: scope.in_playlist(each) for each in scope.playlists[:MAXIMUM_PLAYLISTS]}
    facets: dict[str, Any] = {
        "channels": {
            "terms": {"field": "channel_id", "size": SIZE},
            "aggs": {"title": {"terms": {"field": "channel", "size": 1}}},
        },
        "languages": {"terms": {"field": "language", "size": _LANGUAGE_CODES}},
        "years": {
            "date_histogram": {
                "field": "published_at",
                "calendar_interval": "year",
                "format": "yyyy",
                "min_doc_count": 1,
            }
        },
    }
    if len(counted) > 1:
        facets["playlists"] = {"filters": {"filters": counted}}
    result = {}
    for name, facet in facets.items():
        others = [clause for other, clause in chosen.items() if other != name]
        within = {"bool": {"filter": others}} if others else EVERYTHING
        result[name] = {"filter": within, "aggs": {"values": facet}}
    return result


def view(found: Mapping[str, Any], scope: Scope, total: int) -> Facets:
    """The facets from Elasticsearch's aggregations. Values with most hits first; years newest first."""
    buckets = {name: found[name]["values"]["buckets"] for name in found}
    # A library of one playlist has all its hits there, which need not be counted.
    counts = (
        {name: bucket["doc_count"] for name, bucket in buckets["playlists"].items()}
        if "playlists" in buckets
        else dict.fromkeys(scope.playlists, total)
    )
    channels: list[TitledValue] = []
    for bucket in buckets["channels"]:
        names = bucket["title"]["buckets"]
        title = names[0]["key"] if names else bucket["key"]
        channels.append({"value": bucket["key"], "title": title, "count": bucket["doc_count"]})
    return {
        "playlists": _playlists(counts, scope),
        "channels": channels,
        "languages": _languages({each["key"]: each["doc_count"] for each in buckets["languages"]}),
        "years": [
            {"value": each["key_as_string"], "count": each["doc_count"]}
            for each in reversed(buckets["years"])
        ],
    }


def of_hits(found: Sequence[Mapping[str, Any]], scope: Scope) -> Facets:
    """The facets of a search whose hits are all here, each with the names of the playlists that hold it."""
    sources = [hit["_source"] for hit in found]
    titles = {source.get("channel_id"): source.get("channel") for source in reversed(sources)}
    years = _counted(source["published_at"][:4] for source in sources if source.get("published_at"))
    channels = _counted(source["channel_id"] for source in sources if source.get("channel_id"))
    return {
        "playlists": _playlists(_counted(name for hit in found for name in hit["matched_queries"]), scope),
        "channels": [
            {"value": channel_id, "title": titles[channel_id] or channel_id, "count": count}
            for channel_id, count in islice(channels.items(), SIZE)
        ],
        "languages": _languages(_counted(each["language"] for each in sources if each.get("language"))),
        "years": [{"value": year, "count": count} for year, count in sorted(years.items(), reverse=True)],
    }


def _counted(values: Iterable[str]) -> dict[str, int]:
    """How often each value comes, in Elasticsearch's order: the most frequent first, then by letters."""
    return dict(sorted(Counter(values).items(), key=lambda each: (-each[1], each[0])))


def _playlists(counts: Mapping[str, int], scope: Scope) -> list[TitledValue]:
    values: list[TitledValue] = [
        {
            "value": playlist_id,
            "title": scope.titles[playlist_id] or playlist_id,
            "count": counts[playlist_id],
        }
        for playlist_id in scope.playlists[:MAXIMUM_PLAYLISTS]
        if counts.get(playlist_id)
    ]
    return sorted(values, key=lambda each: -each["count"])


def _languages(codes: Mapping[str, int]) -> list[FacetValue]:
    """One value a language, whatever its region or script: ``en`` also finds ``en-GB``, so it counts it."""
    counts: Counter[str] = Counter()
    for code, count in codes.items():
        counts[code.split("-")[0].lower()] += count
    return [{"value": code, "count": count} for code, count in counts.most_common(SIZE)]


def nothing() -> Facets:
    return {"playlists": [], "channels": [], "languages": [], "years": []}
