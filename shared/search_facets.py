"""Facets: how many hits each playlist, channel, language and year has, under all the *other* filters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.search_params import Params
from shared.search_query import EVERYTHING, Clause, language_clause, published_clause
from shared.search_scope import Scope

#: Buckets shown of each facet.
SIZE = 30
#: Playlists that are counted; a filter each.
MAXIMUM_PLAYLISTS = 100


def filters(scope: Scope, params: Params) -> dict[str, Clause]:
    """One filter for each facet that the caller has narrowed down."""
    chosen: dict[str, Clause] = {}
    if params.playlists:
        chosen["playlists"] = scope.of_playlists(params.playlists)
    if params.channels:
        terms = [{"terms": {field: list(params.channels)}} for field in ("channel_id", "channel")]
        chosen["channels"] = {"bool": {"should": terms, "minimum_should_match": 1}}
    if params.languages:
        languages = [language_clause(code) for code in params.languages]
        chosen["languages"] = {"bool": {"should": languages, "minimum_should_match": 1}}
    if params.after or params.before:
        chosen["years"] = published_clause(params.after, params.before)
    return chosen


def aggregations(scope: Scope, chosen: Mapping[str, Clause]) -> dict[str, Any]:
    """The facets of the hits of the query, each narrowed by the filters of all others."""
    counted = {
        playlist_id: scope.of_playlist(playlist_id) for playlist_id in scope.playlists[:MAXIMUM_PLAYLISTS]
    }
    facets: dict[str, Any] = {
        "channels": {
            "terms": {"field": "channel_id", "size": SIZE},
            "aggs": {"title": {"terms": {"field": "channel", "size": 1}}},
        },
        "languages": {"terms": {"field": "language", "size": SIZE}},
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


def view(
    found: Mapping[str, Any], scope: Scope, total: int, titles: Mapping[str, str]
) -> dict[str, list[dict[str, Any]]]:
    """``{"playlists": [{"value", "title", "count"}], …}``; most first, years newest first."""
    buckets = {name: found[name]["values"]["buckets"] for name in found}
    # All hits are in the only playlist there is: that need not be counted.
    counts = (
        {name: bucket["doc_count"] for name, bucket in buckets["playlists"].items()}
        if "playlists" in buckets
        else dict.fromkeys(scope.playlists, total)
    )
    playlists = [
        {"value": playlist_id, "title": titles.get(playlist_id) or playlist_id, "count": count}
        for playlist_id, count in counts.items()
        if count
    ]
    channels = []
    for bucket in buckets["channels"]:
        names = bucket["title"]["buckets"]
        title = names[0]["key"] if names else bucket["key"]
        channels.append({"value": bucket["key"], "title": title, "count": bucket["doc_count"]})
    return {
        "playlists": sorted(playlists, key=lambda each: -each["count"]),
        "channels": channels,
        "languages": [{"value": each["key"], "count": each["doc_count"]} for each in buckets["languages"]],
        "years": [
            {"value": each["key_as_string"], "count": each["doc_count"]}
            for each in reversed(buckets["years"])
        ],
    }


def nothing() -> dict[str, list[dict[str, Any]]]:
    return {"playlists": [], "channels": [], "languages": [], "years": []}
