"""Marks the sentence of a passage that is nearest to the question."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from operator import mul

from shared.meaning.embedder import Embedder
from shared.search.hits import Strength
from shared.search.index.analysis import Span
from shared.search.snippets import SENTENCE_ENDS, Segments, segments

#: Sentences that are compared for one answer. Each costs a millisecond of one core; others have no mark.
_MOST = 24
#: Characters of a sentence. Generated captions have no sentences: then lines are taken together up to this.
_LONG, _LINES = 240, 120


@dataclass(slots=True)
class MarkedPassage:
    """``start``, ``end``: seconds. ``line``: number of its first caption line. ``text`` with ``breaks``, the
    offsets at which the other lines begin, and the span that is marked.
    """

    video_id: str
    start: float
    end: float
    line: int
    strength: Strength
    text: str
    breaks: Sequence[int]
    marked: Span | None = field(default=None)

    @property
    def segments(self) -> Segments:
        return segments(self.text, [self.marked] if self.marked else [])

    @property
    def plain(self) -> str:
        return self.text


def mark(embedder: Embedder, question: bytes, hits: Sequence[Sequence[MarkedPassage]]) -> None:
    """Marks the nearest sentence, first in the best passage of each hit, as far as :data:`_MOST` allows."""
    compared: list[tuple[MarkedPassage, list[Span]]] = []
    left = _MOST
    for passage in (each for turn in zip_longest(*hits) for each in turn if each is not None):
        spans = sentences(passage.text, passage.breaks)
        if len(spans) > left:
            break
        left -= len(spans)
        compared.append((passage, spans))
    texts = [passage.text[begin:end] for passage, spans in compared for begin, end in spans]
    asked = array("b", question)
    vectors = iter(embedder.passages(texts))
    for passage, spans in compared:
        near = [_nearness(asked, next(vectors)) for _ in spans]
        passage.marked = spans[max(range(len(spans)), key=near.__getitem__)] if spans else None


def sentences(text: str, breaks: Sequence[int]) -> list[Span]:
    """The spans of the sentences. One that is too long is split where caption lines begin."""
    ends = [0, *(found.end() for found in SENTENCE_ENDS.finditer(text)), len(text)]
    spans: list[Span] = []
    for begin, end in pairwise(sorted(set(ends))):
        at = begin
        if end - begin > _LONG:
            for line in breaks:
                if at + _LINES <= line < end:
                    spans.append((at, line))
                    at = line
        spans.append((at, end))
    stripped = [(begin, begin + len(text[begin:end].rstrip())) for begin, end in spans]
    return [span for span in stripped if span[0] < span[1]]


def _nearness(question: array[int], sentence: bytes) -> float:
    """The cosine, but for the length of the question, which is the same for all sentences."""
    vector = array("b", sentence)
    length = math.sqrt(sum(map(mul, vector, vector)))
    return sum(map(mul, question, vector)) / length if length else 0.0
