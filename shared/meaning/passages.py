"""Cuts a transcript into passages of about a hundred words. The model makes one vector of each.

A passage consists of whole caption lines, so it has a second to start at. A line that is longer than a
passage is cut into several ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import NamedTuple

from shared.transcripts.transcript import Line, Lines

#: Words of a passage. Shorter ones say too little, longer ones speak of several things.
WORDS = 100
#: The shortest and the longest passage, as parts of that.
_LEAST, _MOST = 0.7, 1.3
#: The most passages of a video. So its vectors fit into a document (MAXIMUM_STORED_BYTES). Videos with more
#: than 100,000 words, which are spoken in half a day, get longer passages.
MOST_PASSAGES = 1500

#: What counts as a word. Chinese and Japanese need about two characters for an English word, scripts of
#: South-East Asia four. Twelve characters without a space count as one, so that 10,000 are several passages.
_HAN = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_THAI = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(rf"[{_HAN}]{{1,2}}|[{_THAI}]{{1,4}}|[^\s{_HAN}{_THAI}]{{1,12}}")
#: What captions say about sounds, and the marks of a new speaker and of songs.
_NOT_SPOKEN = re.compile(r"\[[^\][]{0,60}\]|【[^】]{0,60}】|[♪♫♩♬]+|>>+|[\x00-\x08\x0e-\x1f\x7f\ufeff\ufffd]")
_SENTENCE_END = re.compile(r"[.!?。！？؟।…][\"'”’»」』)\]]*\Z")
_LETTER = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class Passage:
    """``first`` and ``last``: numbers of caption lines, from 0, inclusive. ``start`` and ``end`` in seconds.

    ``text``: the spoken text, without notes such as "[Music]".
    """

    first: int
    last: int
    start: float
    end: float
    text: str


class _Piece(NamedTuple):
    """A caption line, or a part of one that is too long for a passage. ``words``: how many."""

    line: int
    start: float
    end: float
    text: str
    words: int


def cut(lines: Lines) -> list[Passage]:
    """The passages in order; at most :data:`MOST_PASSAGES`.

    A passage ends where a sentence ends with a line, or else with the line at which it has the wished length.
    Lines in which nobody speaks belong to none, unless they are between others.
    """
    spoken = [(number, line._replace(text=_spoken(line.text))) for number, line in enumerate(lines)]
    spoken = [(number, line) for number, line in spoken if line.text]
    total = sum(_words(line.text) for _, line in spoken)
    wished = max(float(WORDS), total / _LEAST / (MOST_PASSAGES - 1))
    pieces = [piece for number, line in spoken for piece in _pieces(number, line, int(_LEAST * wished))]
    passages, at = [], 0
    while at < len(pieces):
        end = _end(pieces, at, wished)
        passages.append(_passage(pieces[at:end]))
        at = end
    return passages


def embedded_text(title: str, passage: Passage) -> str:
    """What the model reads: the title says what the passage is about, which speakers seldom repeat."""
    return f"{title}. {passage.text}" if title else passage.text


def _spoken(text: str) -> str:
    kept = " ".join(_NOT_SPOKEN.sub(" ", text).split())
    return kept if _LETTER.search(kept) else ""


def _words(text: str) -> int:
    return len(_WORD.findall(text))


def _pieces(number: int, line: Line, most: int) -> Iterator[_Piece]:
    """The line itself if it has at most so many words. The times of parts are estimated by their length."""
    words = list(_WORD.finditer(line.text))
    bounds = [0, *(word.start() for word in words[most::most]), len(line.text)]
    for index, (begin, end) in enumerate(pairwise(bounds)):
        text = line.text[begin:end].strip()
        start = line.start + line.duration * begin / len(line.text)
        until = line.start + line.duration * end / len(line.text)
        yield _Piece(number, start, until, text, len(words[index * most : (index + 1) * most]))


def _end(pieces: Sequence[_Piece], at: int, wished: float) -> int:
    """The number of the piece with which the next passage begins."""
    lengths = []
    for length in accumulate(piece.words for piece in pieces[at:]):
        lengths.append(length)
        if length > 2 * wished:
            break
    if lengths[-1] <= _MOST * wished:
        return len(pieces)
    # The last two share what is left, so that the last one is no remnant.
    ideal = lengths[-1] / 2 if lengths[-1] <= 2 * wished else wished
    ends = range(1, len(lengths) + 1)
    allowed = [end for end in ends if _LEAST * wished <= lengths[end - 1] <= _MOST * wished] or [
        next(end for end in ends if lengths[end - 1] >= _LEAST * wished)
    ]
    return at + min(allowed, key=lambda end: _fit(pieces[at + end - 1], abs(lengths[end - 1] - ideal)))


def _fit(last: _Piece, distance: float) -> tuple[bool, float]:
    """Smaller is better."""
    return not _SENTENCE_END.search(last.text), distance


def _passage(pieces: Sequence[_Piece]) -> Passage:
    return Passage(
        pieces[0].line,
        pieces[-1].line,
        pieces[0].start,
        max(piece.end for piece in pieces),
        " ".join(piece.text for piece in pieces),
    )
