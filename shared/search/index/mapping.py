"""The mappings and settings of both indices. They work on Elasticsearch's core server and on a full one.

The index of videos has one document a video. Each text is in two fields with the same characters: as it is
(``transcript``), folded by the analyzer and stored for display, and in the field of its language
(``stems.transcript.english``), where other forms of a word are found. See docs/decisions/search-fields.md.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, get_args

from shared.search.index import folding, languages

#: Increase it when a mapping or the content of a document changes. That changes every fingerprint, so the
#: next indexing or `reindex` writes all documents again.
VERSION = 4

#: One shard holds some hundred thousand videos. The cluster decides about replicas.
SHARDS = 1
REPLICAS = "0-1"

#: ``chapter``: the titles of a video's chapters, one value each. Its description has them, too.
Text = Literal["title", "description", "transcript", "chapter"]
TEXTS: tuple[Text, ...] = get_args(Text)


def fingerprint(digest: str) -> str:
    """The fingerprint that a video of this digest has in the index.

    If it is the same as the indexed one, indexing the video again changes nothing.
    """
    return hashlib.sha256(json.dumps([VERSION, digest]).encode()).hexdigest()[:32]


def stems(text: str, analyzer: str) -> str:
    """The field in which other forms of the words of a text are found. ``text``: one of TEXTS."""
    return f"stems.{text}.{analyzer}"


def _folded(analyzer: str = "folded", **options: Any) -> dict[str, Any]:
    return {
        "type": "text",
        "index_options": "offsets",
        "analyzer": analyzer,
        # Somebody may search for a sound in its brackets.
        "search_analyzer": "folded",
        **options,
    }


def _stems(**options: Any) -> dict[str, Any]:
    fields = {
        name: {
            "type": "text",
            "index_options": "offsets",
            "analyzer": languages.index_analyzer(name),
            **options,
        }
        for name in languages.ANALYZERS
    }
    return {"properties": fields}


def _analysis() -> dict[str, Any]:
    parts = [folding.analysis(), languages.analysis()]
    return {
        kind: {name: value for part in parts for name, value in part.get(kind, {}).items()}
        for kind in ("char_filter", "filter", "analyzer")
    }


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
            },
            "analysis": _analysis(),
        },
        "mappings": {
            "dynamic": "strict",
            "_meta": {"version": VERSION},
            "_source": {"excludes": ["stems", "sounds"]},
            "properties": {
                "video_id": {"type": "keyword"},
                "title": _folded(),
                "description": _folded(),
                "transcript": _folded("spoken", similarity="transcript"),
                "chapter": _folded(),
                # The sounds in a transcript's brackets, at the same offsets.
                "sounds": _folded(similarity="transcript"),
                "stems": {
                    "properties": {
                        "title": _stems(),
                        "description": _stems(),
                        "transcript": _stems(similarity="transcript"),
                        "chapter": _stems(),
                    }
                },
                # Whole seconds, packed like the numbers of lines.
                "chapter_starts": {"type": "binary"},
                # One number a caption line, packed: see shared.search.index.lines.
                "line_offsets": {"type": "binary"},
                "line_starts": {"type": "binary"},
                "line_durations": {"type": "binary"},
                "analyzer": {"type": "keyword"},
                "language": {"type": "keyword"},
                "generated": {"type": "boolean"},
                "channel": {"type": "keyword", "ignore_above": 1000, "copy_to": "channel_words"},
                "channel_words": {"type": "text", "analyzer": "folded"},
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
