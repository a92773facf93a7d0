"""Hits as people see them: texts as segments, and moments with their seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from msgspec import Meta

from shared.declared import Time, Url, VideoId
from shared.search import moments
from shared.search.chapters import Match as ChapterMatch
from shared.search.chapters import chapters_of, marked_chapters, places
from shared.search.index.analysis import Span
from shared.search.index.lines import LineIndex
from shared.search.query import Query
from shared.search.snippets import LENGTH, Segments, around, segments
from shared.transcripts.chapters import chapter_at

#: Moments shown of one hit. ``moment_count`` says how many there are.
MOMENTS = 5
#: So many chapters are among them at least, if their titles match.
CHAPTERS = 2
#: Characters of a description.
DESCRIPTION = 2 * LENGTH

#: Finds moments in a transcript: its text, the spans that are marked in it, and its lines.
Find = Callable[[str, Sequence[Span], LineIndex], list[moments.Moment]]

#: The parts of a document that a hit needs. The transcript comes from the highlighter.
SOURCE = {"excludes": ["transcript", "line_durations", "fingerprint"]}


class Indexed(TypedDict):
    """What the search index knows of a video.

    - `generated`: the captions were made by a machine
    - `gone`: YouTube shows the video no longer; missing for others
    - `added_at`: when it was put into its source; only in a search that asks for that
    """

    video_id: VideoId
    channel: str
    channel_id: str | None
    published_at: Annotated[str, Meta(examples=["2024-01-31T12:00:00Z"])] | None
    duration_seconds: int | None
    views: int | None
    language: Annotated[str, Meta(examples=["en"])] | None
    generated: bool | None
    thumbnail_url: str | None
    url: Url
    gone: NotRequired[bool]
    added_at: NotRequired[Time | None]


class About(Indexed):
    """A video."""

    title: str
    description: str


class Moment(TypedDict):
    """A place of a video that matches.

    - `start`: of the caption line in which the match begins, exact; `url` has whole seconds
    - `line`: the number of this line, from 0; null without captions
    - `chapter`: the title of the chapter in which it is
    - `is_chapter`: the snippet is this title, in which the match is; missing for others
    """

    start: Annotated[float, Meta(examples=[61.28])]
    line: int | None
    chapter: str | None
    url: Url
    snippet: Segments
    is_chapter: NotRequired[bool]


Strength = Literal["strong", "good", "weak"]
Match = Literal["all_words", "some_words", "meaning"]


class Passage(TypedDict):
    """A passage that is near a question in meaning. Its nearest sentence is the match.

    - `line`: the number of its first caption line, from 0
    """

    start: Annotated[float, Meta(examples=[61.28])]
    end: Annotated[float, Meta(examples=[98.4])]
    line: int
    url: Url
    text: Segments
    strength: Strength


class Hit(Indexed):
    """A video that was found. Of `moment_count` moments the best are shown, in order of time.

    - `missing`: words of `q` that it lacks, when no video has all of them
    - `passages`: the nearest ones of a search by meaning, which has no moments
    - `match`: only in exports
    """

    title: Segments
    description: Segments
    moment_count: int
    moments: list[Moment]
    match: NotRequired[Match]
    missing: NotRequired[list[str]]
    passages: NotRequired[list[Passage]]


def watch_url(video_id: str, second: int | None = None) -> str:
    """The address of the video at YouTube, optionally at a second."""
    return f"https://www.youtube.com/watch?v={video_id}" + ("" if second is None else f"&t={second}s")


def about(source: Mapping[str, Any]) -> About:
    """The fields of a video that are shown. ``source``: its document in the index."""
    return {
        **_indexed(source),
        "title": text_of(source, "title"),
        "description": text_of(source, "description"),
    }


def _indexed(source: Mapping[str, Any]) -> Indexed:
    shown: Indexed = {
        "video_id": source["video_id"],
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
    if source.get("gone"):
        shown["gone"] = True
    return shown


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
    moments: Sequence[moments.Moment]


def spoken(found: Mapping[str, Any], find: Find) -> Spoken:
    """``find``: finds the moments of a transcript."""
    marked = marked_text(found, "transcript")
    lines = LineIndex.from_source(found["_source"])
    text, spans = moments.unmark(marked) if marked is not None else ("", [])
    return Spoken(text, spans, lines, find(text, spans, lines) if lines else [])


def hit(
    found: Mapping[str, Any], query: Query, limit: int | None = MOMENTS, said: Spoken | None = None
) -> Hit:
    """A hit from Elasticsearch's answer, with at most ``limit`` moments (None: all of them).

    ``said``: its transcript with other moments than those of the whole query.
    """
    source = found["_source"]
    said = said or spoken(found, lambda text, spans, lines: moments.find(text, spans, lines, query))
    places, more = _moments(found, query, limit, said)
    description, spans = marked_or_plain(found, "description")
    match = spans[0] if spans else (0, 0)
    shown = {
        **_indexed(source),
        "title": segments(*marked_or_plain(found, "title")),
        "description": segments(description, spans, *around(description, *match, DESCRIPTION)),
        "moment_count": len(places) + more,
        "moments": places,
    }
    return cast(Hit, shown)


def marked_or_plain(found: Mapping[str, Any], name: str) -> tuple[str, list[Span]]:
    """A text of a hit, and the spans in it that match."""
    marked = marked_text(found, name)
    return (text_of(found["_source"], name), []) if marked is None else moments.unmark(marked)


def _moments(
    found: Mapping[str, Any], query: Query, limit: int | None, said: Spoken
) -> tuple[list[Moment], int]:
    """The moments that are shown, in order of time, and the number of others."""
    source, text, spans, lines = found["_source"], said.text, said.spans, said.lines
    chapters = chapters_of(source)
    spoken = said.moments
    titled = places(marked_chapters(found), query, alone=not spoken)
    if lines:
        begun = {lines.from_second(match.chapter.start) for match in titled}
        spoken = [moment for moment in spoken if moment.line not in begun]

    def at_line(moment: moments.Moment) -> Moment:
        assert lines is not None
        # Exact, because a second may have several lines. Only YouTube's addresses have whole seconds.
        start = lines.starts[moment.line] / 1000
        return view(start, moment.line, segments(text, spans, *around(text, moment.begin, moment.end)))

    def at_chapter(match: ChapterMatch) -> Moment:
        start = match.chapter.start
        shown = view(start, lines.from_second(start) if lines else None, match.title)
        shown["is_chapter"] = True
        return shown

    def view(start: float, line: int | None, snippet: Segments) -> Moment:
        chapter = chapter_at(chapters, start)
        return {
            "start": start,
            "line": line,
            "chapter": chapter.title if chapter else None,
            "url": watch_url(source["video_id"], int(start)),
            "snippet": snippet,
        }

    if limit is None:
        chosen, shown = titled, spoken
    else:
        chosen = titled[: max(CHAPTERS, limit - len(spoken))]
        shown = moments.best(spoken, limit - len(chosen))
    views = sorted([*map(at_chapter, chosen), *map(at_line, shown)], key=lambda each: each["start"])
    return views, len(titled) + len(spoken) - len(views)
