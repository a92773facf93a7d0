"""The chapters of a hit: those in the index, and those whose title matches the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.search import moments
from shared.search.index.lines import unpack
from shared.search.query import Query
from shared.search.snippets import Segments, segments
from shared.transcripts.chapters import Chapter


@dataclass(frozen=True, slots=True)
class Match:
    """A chapter whose title matches. ``number``: from 0."""

    number: int
    chapter: Chapter
    title: Segments


def chapters_of(source: Mapping[str, Any]) -> list[Chapter]:
    """The chapters of a document of the index."""
    if "chapter" not in source:
        return []
    return [*map(Chapter, unpack(source["chapter_starts"]), source["chapter"])]


def marked_chapters(found: Mapping[str, Any]) -> list[Match]:
    """The chapters in whose title the highlighter has marked something, in order."""
    # The highlighter returns only the titles that match. Two chapters may have the same one.
    marked = dict(map(moments.unmark, found.get("highlight", {}).get("chapter", [])))
    return [
        Match(number, chapter, segments(chapter.title, marked[chapter.title]))
        for number, chapter in enumerate(chapters_of(found["_source"]))
        if chapter.title in marked
    ]


def places(marked: Sequence[Match], query: Query, *, alone: bool) -> list[Match]:
    """Those of the marked chapters that are places to go to.

    Their title has everything that the query asks for. ``alone``: nothing else of the video is a place. Then
    a part of it is enough.
    """
    satisfying = moments.satisfying([each.title for each in marked], query)
    found = [each for each, satisfies in zip(marked, satisfying, strict=True) if satisfies]
    return found or (list(marked) if alone else [])
