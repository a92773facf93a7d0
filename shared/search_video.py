"""One video of the caller's library with its whole transcript: ``GET /api/videos/{id}``."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared import moments
from shared import query as queries
from shared.analysis import DEFAULT
from shared.errors import NotFound, Permanent
from shared.query import Query
from shared.search_hits import watch_url
from shared.search_lines import LineIndex, unpack
from shared.search_params import TEXTS
from shared.search_query import Compiler
from shared.search_scope import Scope, analyzers_within, too_costly, unknown_index
from shared.snippets import Segments, segments
from shared.transcripts import Line


def video(library: Sequence[str], user_id: str, video_id: str) -> tuple[dict[str, Any], list[Line]]:
    """What is known of the video, and its caption lines (none without captions).

    Raises:
        NotFound: it is not in the caller's library, or not indexed.
        Transient: Elasticsearch does not answer.
    """
    source = _found(Scope.of(user_id, library), video_id)["_source"]
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


def matches(library: Sequence[str], user_id: str, video_id: str, q: str) -> dict[str, Any]:
    """Where the video's transcript matches a query, for reading it beside the video.

    ``{"moments": [number of a line, …], "marked": [{"line": number, "segments": SEGMENTS}, …]}``:
    the lines in which something begins that a search would show, all of them; and every line with
    marks. Raises as :func:`video`.
    """
    scope, asked = Scope.of(user_id, library), queries.parse(q)
    if asked.root is None:
        return {"moments": [], "marked": []}
    compiler = Compiler.of(asked, TEXTS, analyzers_within(scope) if scope.playlists else ())
    try:
        found = _found(scope, video_id, compiler.highlight(asked))
    except Permanent as error:
        if not too_costly(error):
            raise
        found = _found(scope, video_id, replace(compiler, stemming=False).highlight(asked))
    source = found["_source"]
    marked = found.get("highlight", {}).get(f"transcript.{source.get('analyzer', DEFAULT)}")
    if marked is None or "line_offsets" not in source:
        return {"moments": [], "marked": []}
    lines = LineIndex(unpack(source["line_offsets"]), unpack(source["line_starts"]))
    return _matches(marked[0], lines, asked)


def _matches(marked: str, lines: LineIndex, asked: Query) -> dict[str, Any]:
    text, spans = moments.unmark(marked)
    begins, ends = [span[0] for span in spans], [span[1] for span in spans]
    touched = {line for first, last in spans for line in range(lines.at(first), lines.at(last - 1) + 1)}
    shown: list[dict[str, Any]] = []
    for line in sorted(touched):
        begin = lines.offsets[line]
        end = lines.offsets[line + 1] if line + 1 < len(lines.offsets) else len(text)
        within = spans[bisect_left(ends, begin + 1) : bisect_left(begins, end)]
        shown.append({"line": line, "segments": _trimmed(text, within, begin, end)})
    return {"moments": [moment.line for moment in moments.find(text, spans, lines, asked)], "marked": shown}


def _trimmed(text: str, spans: Sequence[moments.Span], begin: int, end: int) -> Segments:
    """As :func:`_lines` has the text of a line: without the spaces around it."""
    piece = text[begin:end]
    begin += len(piece) - len(piece.lstrip())
    return segments(text, spans, begin, begin + len(piece.strip()))


def _found(scope: Scope, video_id: str, highlight: Any = None) -> dict[str, Any]:
    found = []
    try:
        if scope.playlists:
            # In the filter, so that an id of any length is only compared.
            query = {"bool": {"filter": [{"term": {"video_id": video_id}}]}}
            answer = scope.search(query, size=1, **({"highlight": highlight} if highlight else {}))
            found = answer["hits"]["hits"]
    except Permanent as error:
        if not unknown_index(error):
            raise
    if not found:
        raise NotFound("There is no such video in your library.")
    return dict(found[0])


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
