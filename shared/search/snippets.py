"""Cuts pieces of readable length around a match, at ends of sentences or of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import TypedDict

from shared.search.index.analysis import Span

#: Characters of a snippet: about two lines on a screen.
LENGTH = 220
#: A snippet begins at most so many characters before the match.
BEFORE = 100

#: A sentence, and what is behind it.
SENTENCE_ENDS = re.compile(r"[.!?…]+[\"'”’»)\]]*\s+|[。！？]+[」』”’]*\s*|\n+")
_SPACE = re.compile(r"\s+")


class Segment(TypedDict):
    """A piece of text. ``match``: it matches the query."""

    text: str
    match: bool


Segments = list[Segment]


def segments(text: str, spans: Sequence[Span], begin: int = 0, end: int | None = None) -> Segments:
    """The characters from ``begin`` to ``end``. ``spans``: the matches in ``text``, in order."""
    end = len(text) if end is None else end
    result: Segments = []

    def add(first: int, last: int, match: bool) -> None:
        if first < last:
            result.append({"text": text[first:last], "match": match})

    position = begin
    for first, last in spans:
        if last <= begin or first >= end:
            continue
        add(position, max(first, begin), False)
        add(max(first, begin), min(last, end), True)
        position = min(last, end)
    add(position, end, False)
    return result


def plain(pieces: Segments) -> str:
    """The text without marks."""
    return "".join(segment["text"] for segment in pieces)


def around(text: str, begin: int, end: int, length: int = LENGTH) -> Span:
    """The span of a snippet of about ``length`` characters that contains those from ``begin`` to ``end``."""
    # Characters of Chinese, Japanese and Korean are twice as wide, and say about three times as much.
    wide = unicodedata.east_asian_width(text[begin : begin + 1] or " ") in "WF"
    first = _beginning(text, begin, BEFORE // 3 if wide else BEFORE)
    last = _ending(text, first, end, length // 3 if wide else length)
    while last > end and text[last - 1].isspace():
        last -= 1
    return first, last


def _beginning(text: str, begin: int, reach: int) -> int:
    limit = max(begin - reach, 0)
    before = text[limit:begin]
    sentences = [match.end() for match in SENTENCE_ENDS.finditer(before)]
    if sentences:
        return limit + sentences[-1]
    if limit == 0:
        return 0
    # No sentence begins near the match (generated captions have no sentences): begin at a word.
    space = _SPACE.search(before)
    return limit + space.end() if space else limit


def _ending(text: str, first: int, end: int, length: int) -> int:
    limit = max(first + length, end)
    if limit >= len(text):
        return len(text)
    sentences = [match.end() for match in SENTENCE_ENDS.finditer(text, end, limit + length // 4)]
    enough = [at for at in sentences if at >= first + length // 2]
    if enough:
        return enough[0] if enough[0] > limit else max(at for at in enough if at <= limit)
    space = text.rfind(" ", end, limit + 1)
    if space >= 0:
        return space
    # The limit is inside a word that began before the match ended: go on to its end, if that is near.
    after = _SPACE.search(text, limit, limit + 40)
    return after.start() if after else limit
