"""One video of the caller's library with its whole transcript."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from msgspec import Meta, Struct

from shared.errors import NotFound
from shared.search import chapters, moments
from shared.search.compiler import Clause, Compiler
from shared.search.errors import SearchRefused
from shared.search.hits import About, about, marked_text, text_of
from shared.search.index.analysis import Span
from shared.search.index.lines import LineIndex, unpack
from shared.search.index.mapping import TEXTS
from shared.search.query import Query
from shared.search.scope import LibraryAnalyzers, Scope
from shared.search.snippets import Segments, segments
from shared.transcripts.transcript import Line

_NOT_FOUND = "There is no such video in your library."


class VideoAsked(Struct):
    format: Literal["json", "srt", "vtt", "txt", "md"] = "json"
    times: Annotated[
        Literal["0", "1"], Meta(description="With 1, each line of txt begins with its time.")
    ] = "0"
    q: Annotated[str, Meta(description="Mark what matches this query.")] | None = None


class Chapter(TypedDict):
    """A chapter, and the second at which it begins."""

    start: float
    title: str


class Described(About):
    """A video with its chapters.

    `reason`: why it has no captions, or not the best ones; `choice`: the rule by which they were chosen.
    """

    reason: str | None
    choice: str | None
    chapters: list[Chapter]


class ShownLine(TypedDict):
    """A caption line. `start` and `duration` in seconds."""

    start: float
    duration: float
    text: str


class MarkedLine(TypedDict):
    """A caption line in which something matches. ``line``: its number, from 0."""

    line: int
    segments: Segments


class MarkedChapter(TypedDict):
    """A chapter in whose title something matches. ``chapter``: its number, from 0."""

    chapter: int
    segments: Segments


class Matches(TypedDict):
    """``moments``: the numbers of the lines in which a moment begins. ``marked``: all lines with marks.

    A moment is also the first line of a chapter whose title matches. ``chapters``: all titles with marks.
    """

    moments: list[int]
    marked: list[MarkedLine]
    chapters: list[MarkedChapter]


class Video(Described):
    """A video with all its caption lines, and with `q` what of them matches."""

    lines: list[ShownLine]
    matches: NotRequired[Matches]


@dataclass(frozen=True, slots=True)
class Whole:
    """A video with everything that is known of it.

    ``about``: the fields that are shown, with ``chapters`` (``start`` and ``title`` each), ``reason`` and
    ``choice``: see :func:`read_video`. ``lines``: none without captions. ``playlists``: the titles, by id, of
    those sources of the library that hold it.
    """

    about: Mapping[str, Any]
    lines: Sequence[Line]
    playlists: Mapping[str, str]

    @property
    def video_id(self) -> str:
        return str(self.about["video_id"])


def whole(found: Mapping[str, Any], scope: Scope) -> Whole:
    """``found``: a hit of :meth:`shared.search.pages.Pages.parts`."""
    about, lines = _read(found["_source"])
    held = found.get("matched_queries", ())
    return Whole(about, lines, {each: title for each, title in scope.titles.items() if each in held})


def read_video(scope: Scope, video_id: str) -> tuple[Described, list[Line]]:
    """The fields of the video that are shown, its chapters, and its caption lines (none without captions).

    ``reason``: why it has none, or why they are not the best ones; ``choice``: the rule by which they were
    chosen (:data:`shared.youtube.tracks.Choice`).

    Raises:
        NotFound: it is not in the caller's library, or is not indexed.
        Transient: Elasticsearch does not answer.
    """
    return _read(find_video(scope, video_id))


def _read(source: Mapping[str, Any]) -> tuple[Described, list[Line]]:
    shown: Described = {
        **about(source),
        "reason": source.get("reason"),
        "choice": source.get("choice"),
        "chapters": [{"start": each.start, "title": each.title} for each in chapters.chapters_of(source)],
    }
    return shown, _lines(source)


def find_video(scope: Scope, video_id: str) -> Mapping[str, Any]:
    """The document of the video in the index. Raises as :func:`read_video`."""
    with _no_index_is_not_found():
        source: Mapping[str, Any] = _find(scope, video_id)["_source"]
    return source


def read_matches(scope: Scope, analyzers: LibraryAnalyzers, video_id: str, query: Query) -> Matches:
    """All moments of the query in the video, and the marked lines. Raises as :func:`read_video`."""
    if query.root is None:
        return {"moments": [], "marked": [], "chapters": []}
    with _no_index_is_not_found():
        found = _find_marked(scope, analyzers, video_id, query)
    marked = marked_text(found, "transcript")
    lines = LineIndex.from_source(found["_source"])
    text, spans = moments.unmark(marked) if marked is not None else ("", [])
    spoken = {moment.line for moment in moments.find(text, spans, lines, query)} if lines else set()
    titles = chapters.marked_chapters(found)
    if lines:
        titled = chapters.places(titles, query, alone=not spoken)
        spoken |= {lines.from_second(each.chapter.start) for each in titled}
    return {
        "moments": sorted(spoken),
        "marked": _marked_lines(text, spans, lines) if lines else [],
        "chapters": [{"chapter": each.number, "segments": each.title} for each in titles],
    }


def _marked_lines(text: str, spans: Sequence[Span], lines: LineIndex) -> list[MarkedLine]:
    begins, ends = [span[0] for span in spans], [span[1] for span in spans]
    touched = {line for first, last in spans for line in range(lines.at(first), lines.at(last - 1) + 1)}
    shown: list[MarkedLine] = []
    for line in sorted(touched):
        begin = lines.offsets[line]
        end = lines.offsets[line + 1] if line + 1 < len(lines.offsets) else len(text)
        within = spans[bisect_left(ends, begin + 1) : bisect_left(begins, end)]
        shown.append({"line": line, "segments": _stripped(text, within, begin, end)})
    return shown


def _stripped(text: str, spans: Sequence[Span], begin: int, end: int) -> Segments:
    """The segments of a line without the space around it, as in :func:`_lines`."""
    piece = text[begin:end]
    begin += len(piece) - len(piece.lstrip())
    return segments(text, spans, begin, begin + len(piece.strip()))


def _find_marked(scope: Scope, analyzers: LibraryAnalyzers, video_id: str, query: Query) -> Mapping[str, Any]:
    compiler = Compiler.for_query(query, TEXTS, analyzers.of(scope) if scope.playlists else ())
    try:
        return _find(scope, video_id, compiler.highlight(query))
    except SearchRefused as error:
        if not error.too_costly:
            raise
        return _find(scope, video_id, replace(compiler, stemming=False).highlight(query))


def _find(scope: Scope, video_id: str, highlight: Clause | None = None) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = ()
    if scope.playlists:
        # In a filter the id is only compared, however long it is.
        query = {"bool": {"filter": [{"term": {"video_id": video_id}}]}}
        body: dict[str, Any] = {"highlight": highlight} if highlight else {}
        answer = scope.search(query, size=1, **body)
        found = answer["hits"]["hits"]
    if not found:
        raise NotFound(_NOT_FOUND)
    return found[0]


@contextmanager
def _no_index_is_not_found() -> Iterator[None]:
    try:
        yield
    except SearchRefused as error:
        if error.no_index:
            raise NotFound(_NOT_FOUND) from error
        raise


def _lines(source: Mapping[str, Any]) -> list[Line]:
    if "line_offsets" not in source:
        return []
    text = text_of(source, "transcript")
    offsets = unpack(source["line_offsets"])
    ends = [*offsets[1:], len(text)]
    starts, durations = unpack(source["line_starts"]), unpack(source["line_durations"])
    return [
        Line(start / 1000, duration / 1000, text[begin:end].strip())
        for begin, end, start, duration in zip(offsets, ends, starts, durations, strict=True)
    ]
