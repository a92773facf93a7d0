"""Hits as people see them: texts as segments, and moments with their seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.search import moments
from shared.search.chapters import Match, chapters_of, marked_chapters, places
from shared.search.index.analysis import Span
from shared.search.index.lines import LineIndex
from shared.search.moments import Moment
from shared.search.query import Query
from shared.search.snippets import LENGTH, around, segments
from shared.transcripts.chapters import chapter_at

#: Moments shown of one hit. ``moment_count`` says how many there are.
MOMENTS = 5
#: So many chapters are among them at least, if their titles match.
CHAPTERS = 2
#: Characters of a description.
DESCRIPTION = 2 * LENGTH

#: Finds moments in a transcript: its text, the spans that are marked in it, and its lines.
Find = Callable[[str, Sequence[Span], LineIndex], list[Moment]]

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


@dataclass(frozen=True, slots=True)
class Spoken:
    """The transcript of a hit, and the moments in it. ``lines``: None without captions."""

    text: str
    spans: Sequence[Span]
    lines: LineIndex | None
    moments: Sequence[Moment]


def spoken(found: Mapping[str, Any], find: Find) -> Spoken:
    """``find``: finds the moments of a transcript."""
    marked = marked_text(found, "transcript")
    lines = LineIndex.from_source(found["_source"])
    text, spans = moments.unmark(marked) if marked is not None else ("", [])
    return Spoken(text, spans, lines, find(text, spans, lines) if lines else [])


def hit(
    found: Mapping[str, Any], query: Query, limit: int | None = MOMENTS, said: Spoken | None = None
) -> dict[str, Any]:
    """A hit from Elasticsearch's answer, with at most ``limit`` moments (None: all of them).

    ``said``: its transcript with other moments than those of the whole query.

    ``start`` of a moment: seconds with milliseconds. ``line``: the number of its caption line, from 0.
    ``chapter``: the title of the chapter in which it is, or None. ``is_chapter``: the snippet is this title,
    in which the match is; the line is the first one of the chapter, None without captions.
    """
    source = found["_source"]
    said = said or spoken(found, lambda text, spans, lines: moments.find(text, spans, lines, query))
    shown, more = _moments(found, query, limit, said)
    description, spans = marked_or_plain(found, "description")
    match = spans[0] if spans else (0, 0)
    return {
        **about(source),
        "title": segments(*marked_or_plain(found, "title")),
        "description": segments(description, spans, *around(description, *match, DESCRIPTION)),
        "moment_count": len(shown) + more,
        "moments": shown,
    }


def marked_or_plain(found: Mapping[str, Any], name: str) -> tuple[str, list[Span]]:
    """A text of a hit, and the spans in it that match."""
    marked = marked_text(found, name)
    return (text_of(found["_source"], name), []) if marked is None else moments.unmark(marked)


def _moments(
    found: Mapping[str, Any], query: Query, limit: int | None, said: Spoken
) -> tuple[list[dict[str, Any]], int]:
    """The moments that are shown, in order of time, and the number of others."""
    source, text, spans, lines = found["_source"], said.text, said.spans, said.lines
    chapters = chapters_of(source)
    spoken = said.moments
    titled = places(marked_chapters(found), query, alone=not spoken)
    if lines:
        begun = {lines.from_second(match.chapter.start) for match in titled}
        spoken = [moment for moment in spoken if moment.line not in begun]

    def at_line(moment: Moment) -> dict[str, Any]:
        assert lines is not None
        # Exact, because a second may have several lines. Only YouTube's addresses have whole seconds.
        return {
            **place(lines.starts[moment.line] / 1000, moment.line),
            "snippet": segments(text, spans, *around(text, moment.begin, moment.end)),
        }

    def at_chapter(match: Match) -> dict[str, Any]:
        start = match.chapter.start
        return {
            **place(start, lines.from_second(start) if lines else None),
            "snippet": match.title,
            "is_chapter": True,
        }

    def place(start: float, line: int | None) -> dict[str, Any]:
        chapter = chapter_at(chapters, start)
        url = watch_url(source["video_id"], int(start))
        return {"start": start, "line": line, "chapter": chapter and chapter.title, "url": url}

    if limit is None:
        chosen, shown = titled, spoken
    else:
        chosen = titled[: max(CHAPTERS, limit - len(spoken))]
        shown = moments.best(spoken, limit - len(chosen))
    views = sorted([*map(at_chapter, chosen), *map(at_line, shown)], key=lambda each: each["start"])
    return views, len(titled) + len(spoken) - len(views)
