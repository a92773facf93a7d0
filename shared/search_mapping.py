"""What the indices look like. The same on Elasticsearch's core server and on a full one.

One document a video. Each text stands in two fields of the same characters: in the field of its
language (``transcript.english``), where it is stemmed and kept for showing, and in ``….exact``,
folded and unstemmed, searchable only. See docs/decisions/search-fields.md.
"""

from __future__ import annotations

from typing import Any

from shared.analysis import ANALYZERS, DEFAULT

#: Raise it when anything below, or what is written into it, changes: every fingerprint changes with it,
#: so the next indexing or `reindex` writes the documents anew.
VERSION = 2

#: One shard holds some hundred thousand videos; replicas are the cluster's matter.
SHARDS = 1
REPLICAS = "0-1"

TEXTS = ("title", "description", "transcript")


def _text(similarity: str | None = None) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "text", "index_options": "offsets"}
    if similarity:
        field["similarity"] = similarity
    exact = {**field, "analyzer": "standard"}
    languages = {name: {**field, "analyzer": name} for name in ANALYZERS}
    return {"properties": {"exact": exact, **languages, DEFAULT: exact}}


def videos() -> dict[str, Any]:
    """Body of the creation of a videos index, without aliases."""
    unsearchable = {"type": "keyword", "index": False, "doc_values": False}
    return {
        "settings": {
            "index": {
                "number_of_shards": SHARDS,
                "auto_expand_replicas": REPLICAS,
                # Refreshed once a second while somebody searches. While nobody does, writes gather in larger
                # segments, which halves what indexing costs, and the next search waits until it finds all of
                # them. An explicit refresh_interval would switch that off.
                "search": {"idle": {"after": "3s"}},
                # The longest transcripts have some hundred thousand characters (FACTS: 300 KB for 6.7 hours).
                "highlight": {"max_analyzed_offset": 10_000_000},
                # Long videos say everything sometime, but twenty mentions are worth more than one.
                "similarity": {"transcript": {"type": "BM25", "k1": 1.2, "b": 0.5}},
            }
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"version": VERSION},
            "_source": {"excludes": [f"{text}.exact" for text in TEXTS] + ["channel_words"]},
            "properties": {
                "video_id": {"type": "keyword"},
                "title": _text(),
                "description": _text(),
                "transcript": _text("transcript"),
                # Of each caption line, packed: see shared.search_lines.
                "line_offsets": {"type": "binary"},
                "line_starts": {"type": "binary"},
                "line_durations": {"type": "binary"},
                "analyzer": {"type": "keyword"},
                "language": {"type": "keyword"},
                "generated": {"type": "boolean"},
                "channel": {"type": "keyword", "ignore_above": 1000},
                "channel_words": {"type": "text", "analyzer": "standard"},
                "channel_id": {"type": "keyword"},
                "published_at": {"type": "date"},
                "duration_seconds": {"type": "integer"},
                "views": {"type": "long"},
                "thumbnail_url": unsearchable,
                "fingerprint": unsearchable,
            },
        },
    }


def libraries() -> dict[str, Any]:
    """Body of the creation of the libraries index: ``user:playlist`` -> ids, for terms lookups."""
    return {
        "settings": {
            "index": {
                "number_of_shards": 1,
                "auto_expand_replicas": REPLICAS,
                # So long the version of a removed playlist is remembered: late writes of its past lose.
                "gc_deletes": "1h",
            }
        },
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "user_id": {"type": "keyword"},
                "playlist_id": {"type": "keyword"},
                "video_ids": {"type": "keyword", "index": False, "doc_values": False},
            },
        },
    }
