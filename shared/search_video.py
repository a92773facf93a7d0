"""One video of the caller's library with its whole transcript: ``GET /api/videos/{id}``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.analysis import DEFAULT
from shared.errors import NotFound, Permanent
from shared.search_hits import watch_url
from shared.search_lines import unpack
from shared.search_scope import Scope, unknown_index
from shared.transcripts import Line


def video(library: Sequence[str], user_id: str, video_id: str) -> tuple[dict[str, Any], list[Line]]:
    """What is known of the video, and its caption lines (none without captions).

    Raises:
        NotFound: it is not in the caller's library, or not indexed.
        Transient: Elasticsearch does not answer.
    """
    scope = Scope.of(user_id, library)
    found = []
    try:
        if scope.playlists:
            # In the filter, so that an id of any length is only compared.
            answer = scope.search({"bool": {"filter": [{"term": {"video_id": video_id}}]}}, size=1)
            found = answer["hits"]["hits"]
    except Permanent as error:
        if not unknown_index(error):
            raise
    if not found:
        raise NotFound("There is no such video in your library.")
    source = found[0]["_source"]
    analyzer = source.get("analyzer", DEFAULT)
    text = source.get("transcript", {}).get(analyzer, "")
    about = {
        "video_id": source["video_id"],
        "title": source.get("title", {}).get(analyzer, ""),
        "description": source.get("description", {}).get(analyzer, ""),
        "channel": source.get("channel", ""),
        "channel_id": source.get("channel_id"),
        "published_at": source.get("published_at"),
        "duration_seconds": source.get("duration_seconds"),
        "views": source.get("views"),
        "language": source.get("language"),
        "generated": source.get("generated"),
        "thumbnail_url": source.get("thumbnail_url"),
        "url": watch_url(source["video_id"]),
    }
    return about, _lines(source, text)


def _lines(source: dict[str, Any], text: str) -> list[Line]:
    if "line_offsets" not in source:
        return []
    offsets = unpack(source["line_offsets"])
    ends = [*offsets[1:], len(text)]
    starts, durations = unpack(source["line_starts"]), unpack(source["line_durations"])
    return [
        Line(start / 1000, duration / 1000, text[begin:end].strip())
        for begin, end, start, duration in zip(offsets, ends, starts, durations, strict=True)
    ]
