"""The mappings and settings of both indices. They work on Elasticsearch's core server and on a full one.

The index of videos has one document a video. Each text is in two fields with the same characters: in the
field of its language (``transcript.english``), stemmed and stored for display, and in ``transcript.exact``,
folded, not stemmed and only searchable. See docs/decisions/search-fields.md.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from shared.search.index.analysis import ANALYZERS, DEFAULT

#: Increase it when a mapping or the content of a document changes. That changes every fingerprint, so the
#: next indexing or `reindex` writes all documents again.
VERSION = 2

#: One shard holds some hundred thousand videos. The cluster decides about replicas.
SHARDS = 1
REPLICAS = "0-1"

TEXTS = ("title", "description", "transcript")


def fingerprint(digest: str) -> str:
    """The fingerprint that a video of this digest has in the index.

    If it is the same as the indexed one, indexing the video again changes nothing.
    """
    return hashlib.sha256(json.dumps([VERSION, digest]).encode()).hexdigest()[:32]


def _text(similarity: str | None = None) -> dict[str, Any]:
    field: dict[str, Any] = {"type": "text", "index_options": "offsets"}
    if similarity:
        field["similarity"] = similarity
    exact = {**field, "analyzer": "standard"}
    languages = {name: {**field, "analyzer": name} for name in ANALYZERS}
    return {"properties": {"exact": exact, **languages, DEFAULT: exact}}


def videos() -> dict[str, Any]:
    """The body of the request that creates an index of videos, without aliases."""
    unsearchable = {"type": "keyword", "index": False, "doc_values": False}
    return {
        "settings": {
            "index": {
                "number_of_shards": SHARDS,
                "auto_expand_replicas": REPLICAS,
                # While people search, the index is refreshed once a second. While nobody does, writes gather
                # in larger segments. That halves the cost of indexing, and the next search waits for one
                # refresh. An explicit refresh_interval would switch this off.
                "search": {"idle": {"after": "3s"}},
                # Seven hours of speech are 300,000 characters.
                "highlight": {"max_analyzed_offset": 10_000_000},
                # Less length normalization than the default (0.75): a long video mentions many things once,
                # but one that mentions a word twenty times is about it.
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
                # One number a caption line, packed: see shared.search.index.lines.
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
                "gone": {"type": "boolean"},
                "views": {"type": "long"},
                "thumbnail_url": unsearchable,
                "reason": unsearchable,
                "choice": unsearchable,
                "fingerprint": unsearchable,
            },
        },
    }


def memberships() -> dict[str, Any]:
    """The body of the request that creates the index of memberships.

    Its documents, ``user:playlist`` → ids of videos, are read by the terms lookups of searches.
    """
    return {
        "settings": {
            "index": {
                "number_of_shards": 1,
                "auto_expand_replicas": REPLICAS,
                # Elasticsearch remembers the version of a deleted document for this long. A late write of an
                # older version is refused meanwhile.
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
