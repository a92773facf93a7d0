"""Hits as people see them: texts as segments, and moments with their seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.search import moments
from shared.search.index.analysis import Span
from shared.search.index.lines import LineIndex
from shared.search.moments import Moment
from shared.search.query import Query
from shared.search.snippets import LENGTH, around, segments

#: Moments shown of one hit. ``moment_count`` says how many there are.
MOMENTS = 5
#: Characters of a description.
DESCRIPTION = 2 * LENGTH

#: The parts of a document that a hit needs. The transcript comes from the highlighter.
SOURCE = {"excludes": ["transcript", "line_durations", "fingerprint"]}
#: Fields that are shown as they are in the index; None if they are missing there.
_SHOWN = (
    "channel_id",
    "published_at",
    "duration_seconds",
    "views",
    "language",
    "generated",
    "thumbnail_url",
)


def watch_url(video_id: str, second: int | None = None) -> str:
    """The address of the video at YouTube, optionally at a second."""
    return f"https://www.youtube.com/watch?v={video_id}" + ("" if second is None else f"&t={second}s")


def about(source: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a video that are shown everywhere. ``source``: its document in the index.

    ``gone`` is true for a video that YouTube no longer shows, and missing for others.
    """
    return {
        "video_id": source["video_id"],
        "title": text_of(source, "title"),
        "description": text_of(source, "description"),
        "channel": source.get("channel", ""),
        **{name: source.get(name) for name in _SHOWN},
        **({"gone": True} if source.get("gone") else {}),
        "url": watch_url(source["video_id"]),
    }


def text_of(source: Mapping[str, Any], name: str) -> str:
    """Title, description or transcript of a document; empty if it has none."""
    return str(source.get(name, ""))


def marked_text(found: Mapping[str, Any], name: str) -> str | None:
    """A whole text of a hit with the marks of the highlighter; None if nothing matches in it."""
    parts = found.get("highlight", {}).get(name)
    return parts[0] if parts else None


def hit(found: Mapping[str, Any], query: Query, limit: int | None = MOMENTS) -> dict[str, Any]:
    """A hit from Elasticsearch's answer, with at most ``limit`` moments (None: all of them).

    ``start`` of a moment: seconds with milliseconds. ``line``: the number of its caption line, from 0.
    """
    source = found["_source"]
    count, shown = _moments(found, query, limit)
    description, spans = _text(found, "description")
    match = spans[0] if spans else (0, 0)
    return {
        **about(source),
        "title": segments(*_text(found, "title")),
        "description": segments(description, spans, *around(description, *match, DESCRIPTION)),
        "moment_count": count,
        "moments": shown,
    }


def _text(found: Mapping[str, Any], name: str) -> tuple[str, list[Span]]:
    marked = marked_text(found, name)
    return (text_of(found["_source"], name), []) if marked is None else moments.unmark(marked)


def _moments(found: Mapping[str, Any], query: Query, limit: int | None) -> tuple[int, list[dict[str, Any]]]:
    """The number of moments, and those that are shown."""
    source, marked = found["_source"], marked_text(found, "transcript")
    lines = LineIndex.from_source(source)
    if marked is None or lines is None:
        return 0, []
    text, spans = moments.unmark(marked)
    every = moments.find(text, spans, lines, query)

    def view(moment: Moment) -> dict[str, Any]:
        return {
            # Exact, because a second may have several lines. Only YouTube's addresses have whole seconds.
            "start": lines.starts[moment.line] / 1000,
            "line": moment.line,
            "url": watch_url(source["video_id"], lines.second(moment.line)),
            "snippet": segments(text, spans, *around(text, moment.begin, moment.end)),
        }

    chosen = every if limit is None else moments.best(every, limit)
    return len(every), [view(moment) for moment in chosen]
