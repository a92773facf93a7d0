"""A hit as it is shown: texts as segments, moments with their seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import moments
from shared.analysis import DEFAULT
from shared.moments import Moment
from shared.query import Query
from shared.search_lines import LineIndex, unpack
from shared.snippets import LENGTH, Segments, around, segments

#: Moments shown of one hit; `moment_count` says how many there are.
MOMENTS = 5
#: Characters of a description.
DESCRIPTION = 2 * LENGTH

#: What is read of a document for a hit: the transcript comes from the highlighter.
SOURCE = {"excludes": ["transcript", "line_durations", "fingerprint"]}


def watch_url(video_id: str, second: int | None = None) -> str:
    """The page of the video, at a second."""
    return f"https://www.youtube.com/watch?v={video_id}" + ("" if second is None else f"&t={second}s")


def hit(found: Mapping[str, Any], query: Query, limit: int | None = MOMENTS) -> dict[str, Any]:
    """One hit of Elasticsearch's answer, with at most ``limit`` moments (None: all of them)."""
    source = found["_source"]
    video_id = source["video_id"]
    analyzer = source.get("analyzer", DEFAULT)
    marked = {name: parts[0] for name, parts in found.get("highlight", {}).items()}
    places, shown = _moments(source, marked.get(f"transcript.{analyzer}"), query, limit)
    return {
        "video_id": video_id,
        "title": _whole(source, "title", marked),
        "description": _beginning(source, "description", marked),
        "channel": source.get("channel", ""),
        "channel_id": source.get("channel_id"),
        "published_at": source.get("published_at"),
        "duration_seconds": source.get("duration_seconds"),
        "views": source.get("views"),
        "language": source.get("language"),
        "generated": source.get("generated"),
        "thumbnail_url": source.get("thumbnail_url"),
        "url": watch_url(video_id),
        "moment_count": places,
        "moments": shown,
    }


def _moments(
    source: Mapping[str, Any], marked: str | None, query: Query, limit: int | None
) -> tuple[int, list[dict[str, Any]]]:
    if marked is None or "line_offsets" not in source:
        return 0, []
    text, spans = moments.unmark(marked)
    lines = LineIndex(unpack(source["line_offsets"]), unpack(source["line_starts"]))
    found = moments.find(text, spans, lines, query)
    chosen = found if limit is None else moments.best(found, limit)

    def view(moment: Moment) -> dict[str, Any]:
        second = lines.second(moment.line)
        snippet = segments(text, spans, *around(text, moment.begin, moment.end))
        return {"start": second, "url": watch_url(source["video_id"], second), "snippet": snippet}

    return len(found), [view(moment) for moment in chosen]


def _text(source: Mapping[str, Any], name: str, marked: Mapping[str, str]) -> tuple[str, list[moments.Span]]:
    field = f"{name}.{source.get('analyzer', DEFAULT)}"
    if field in marked:
        return moments.unmark(marked[field])
    return str(source.get(name, {}).get(source.get("analyzer", DEFAULT), "")), []


def _whole(source: Mapping[str, Any], name: str, marked: Mapping[str, str]) -> Segments:
    return segments(*_text(source, name, marked))


def _beginning(source: Mapping[str, Any], name: str, marked: Mapping[str, str]) -> Segments:
    text, spans = _text(source, name, marked)
    begin, end = spans[0] if spans else (0, 0)
    return segments(text, spans, *around(text, begin, end, DESCRIPTION))
