"""Moments: the places of a video where the query was said, found from the highlighter's marks.

The highlighter returns the whole transcript with marks around matches. So the position of a mark is an
offset in the text, and the offset belongs to one caption line. A passage that was said twice has two marks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from operator import or_

from shared.search.index.analysis import MATCH_BEGINS, MATCH_ENDS, Span
from shared.search.index.folding import fold, sounds
from shared.search.index.lines import LineIndex
from shared.search.query import (
    And,
    Fuzzy,
    Node,
    Or,
    Phrase,
    Prefix,
    Query,
    Term,
    Word,
)
from shared.search.snippets import Segments

#: Words that are ANDed are in one place if they are within so many characters (ten seconds of speech).
PLACE = 250
#: Words of which some may be missing are in one place within so many: half a minute, as long as an answer.
WIDE = 600
#: A place is shown if it has so much of the weight that the best place of the video has.
_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class Moment:
    """A place that matches: the characters from ``begin`` to ``end``.

    ``line``: the number of the caption line in which it begins. ``found``: the terms of the query that are
    there, one bit each. ``weight``: how much they count together.
    """

    begin: int
    end: int
    line: int
    found: int
    weight: float


def unmark(marked: str) -> tuple[str, list[Span]]:
    """The text without marks, and the spans that were marked. Spans that touch become one."""
    parts = re.split(f"([{MATCH_BEGINS}{MATCH_ENDS}])", marked)
    texts: list[str] = []
    spans: list[Span] = []
    length = begin = 0
    for part in parts:
        if part == MATCH_BEGINS:
            begin = length
        elif part == MATCH_ENDS:
            # The analyzer cjk makes words of two characters that overlap. Their marks touch.
            if spans and spans[-1][1] == begin:
                begin = spans.pop()[0]
            spans.append((begin, length))
        else:
            texts.append(part)
            length += len(part)
    return "".join(texts), spans


def find(text: str, spans: Sequence[Span], lines: LineIndex, query: Query) -> list[Moment]:
    """All moments in order, at most one a caption line.

    These are the places where the whole query is satisfied. If there are none, because the words of an AND
    are minutes apart, they are the places of the single words. Sounds in brackets are places only if nothing
    else is.
    """
    root = query.root
    if root is None or not spans:
        return []
    terms = [term for term in query.terms() if term.field is None]
    spans = _spoken(text, spans) or spans
    recognizer = _Recognizer(terms)
    marked = [(begin, end, recognizer.terms_in(text[begin:end])) for begin, end in spans]
    places = _together(marked, _Evaluator(root, terms)) or _scattered(marked)
    moments: dict[int, Moment] = {}
    for begin, end, found in places:
        line = lines.at(begin)
        if line not in moments or found.bit_count() > moments[line].found.bit_count():
            moments[line] = Moment(begin, end, line, found, found.bit_count())
    return list(moments.values())


def find_some(
    text: str, spans: Sequence[Span], lines: LineIndex, weights: Mapping[Term, float]
) -> list[Moment]:
    """The places that have most of these terms by weight, in order, at most one a caption line."""
    spans = _spoken(text, spans) or spans
    recognizer, values = _Recognizer(list(weights)), list(weights.values())
    marked = [(begin, end, recognizer.terms_in(text[begin:end])) for begin, end in spans]
    known: dict[int, float] = {}

    def weight(found: int) -> float:
        if found not in known:
            known[found] = sum(value for bit, value in enumerate(values) if found >> bit & 1)
        return known[found]

    windows = [(weight(found), first, last) for first, last, found in _windows(marked, len(values))]
    enough = _ENOUGH * max((each[0] for each in windows), default=0)
    taken: list[tuple[int, int]] = []
    moments: dict[int, Moment] = {}
    for value, first, last in sorted(windows, key=lambda each: (-each[0], each[2] - each[1], each[1])):
        if value < enough:
            break
        at = bisect_right(taken, (first, last))
        if (at and taken[at - 1][1] >= first) or (at < len(taken) and taken[at][0] <= last):
            continue
        taken.insert(at, (first, last))
        begin, end, found = _shortest(marked[first : last + 1])
        moments.setdefault(line := lines.at(begin), Moment(begin, end, line, found, value))
    return sorted(moments.values(), key=lambda each: each.begin)


def terms_of(text: str, spans: Sequence[Span], terms: Sequence[Term]) -> int:
    """The terms that are marked in a text, one bit each."""
    recognizer = _Recognizer(terms)
    return reduce(or_, (recognizer.terms_in(text[begin:end]) for begin, end in spans), 0)


def satisfying(titles: Sequence[Segments], query: Query) -> list[bool]:
    """Whether each title of a chapter has everything that the query asks for.

    If the query has words for chapters only (``chapter:word``), these are what it asks for.
    """
    if query.root is None:
        return [False] * len(titles)
    asked = [term for term in query.terms() if term.field == "chapter"]
    plain = [term for term in query.terms() if term.field is None]
    # Plain words are marked in titles, too. Those of chapters come first, so that both count the same bits.
    recognizer, evaluator = _Recognizer([*asked, *plain]), _Evaluator(query.root, asked or plain)
    return [
        evaluator.is_satisfied(
            reduce(or_, (recognizer.terms_in(part["text"]) for part in title if part["match"]), 0)
        )
        for title in titles
    ]


def _spoken(text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans that are not within a sound."""
    found = sounds(text)
    begins = [begin for begin, _ in found]
    # The last sound that begins before the span has ended before it, too.
    return [
        span for span in spans if not (at := bisect_right(begins, span[0])) or found[at - 1][1] <= span[0]
    ]


def best(moments: Sequence[Moment], limit: int) -> list[Moment]:
    """The moments with the most weight, in order of time. Each term is in one of them if ``limit`` allows."""
    chosen: list[Moment] = []
    shown = 0
    left = sorted(moments, key=lambda each: (-each.weight, each.end - each.begin, each.begin))
    while left and len(chosen) < limit:
        new = next((moment for moment in left if moment.found & ~shown), left[0])
        left.remove(new)
        chosen.append(new)
        shown |= new.found
    return sorted(chosen, key=lambda moment: moment.begin)


#: Begin, end, and the terms that are there, one bit each.
_Marked = tuple[int, int, int]


class _Evaluator:
    """Evaluates the query for a place. Results are remembered by the terms that are there."""

    def __init__(self, root: Node, terms: Sequence[Term]) -> None:
        self._root = root
        self._bits = {term: 1 << number for number, term in enumerate(terms)}
        self._known: dict[int, bool] = {}

    def is_satisfied(self, found: int) -> bool:
        """Whether a place with these terms has everything that the query asks for."""
        if found not in self._known:
            self._known[found] = self._node(self._root, found)
        return self._known[found]

    def _node(self, node: Node, found: int) -> bool:
        match node:
            case And(parts):
                return all(self._node(part, found) for part in parts)
            case Or(parts):
                return any(self._node(part, found) for part in parts)
            case Word() | Phrase() | Prefix() | Fuzzy():
                # Other terms, such as title:word in a transcript, are searched elsewhere.
                return node not in self._bits or bool(self._bits[node] & found)
            case _:
                return True  # exclusions and filters concern the whole video


def _together(marked: Sequence[_Marked], query: _Evaluator) -> list[_Marked]:
    """The shortest stretches of text that satisfy the query. They do not overlap."""
    places: list[_Marked] = []
    first = 0
    while first < len(marked):
        begin, _, found = marked[first]
        last = first
        while not query.is_satisfied(found):
            last += 1
            if last == len(marked) or marked[last][1] - begin > PLACE:
                break
            found |= marked[last][2]
        else:
            # Drop marks at the beginning that are not needed: "the … the origin" begins at the second "the".
            while first < last:
                rest = reduce(or_, (each[2] for each in marked[first + 1 : last + 1]))
                if not query.is_satisfied(rest):
                    break
                first, found = first + 1, rest
            places.append((marked[first][0], marked[last][1], found))
            first = last
        first += 1
    return places


def _windows(marked: Sequence[_Marked], terms: int) -> Iterator[tuple[int, int, int]]:
    """For each mark: its number, that of the last one within :data:`WIDE` characters, the terms of these."""
    counts = [0] * terms
    found = following = 0
    for first, (begin, _, leaving) in enumerate(marked):
        while (following < len(marked) and marked[following][1] - begin <= WIDE) or following == first:
            for bit in _bits(marked[following][2]):
                counts[bit] += 1
            found |= marked[following][2]
            following += 1
        yield first, following - 1, found
        for bit in _bits(leaving):
            counts[bit] -= 1
            if not counts[bit]:
                found &= ~(1 << bit)


def _bits(found: int) -> Iterator[int]:
    while found:
        yield (found & -found).bit_length() - 1
        found &= found - 1


def _shortest(marked: Sequence[_Marked]) -> _Marked:
    """The stretch of these marks without those at both ends that are not needed for its terms."""
    every = reduce(or_, (each[2] for each in marked))
    first, last = 0, len(marked)
    while first < last - 1 and reduce(or_, (each[2] for each in marked[first + 1 : last])) == every:
        first += 1
    while first < last - 1 and reduce(or_, (each[2] for each in marked[first : last - 1])) == every:
        last -= 1
    return marked[first][0], marked[last - 1][1], every


def _scattered(marked: Sequence[_Marked]) -> list[_Marked]:
    """Stretches that have no term twice. Words that are much more frequent than the rarest are left out."""
    counts = Counter(found for _, _, found in marked)
    common = max(20, 5 * min(counts.values()))
    places: list[_Marked] = []
    for begin, end, found in marked:
        if counts[found] > common:
            continue
        if places:
            first, _, seen = places[-1]
            if not found & seen and end - first <= PLACE:
                places[-1] = (first, end, seen | found)
                continue
        places.append((begin, end, found))
    return places


_TOKENS = re.compile(r"\w+")


def _tokens(text: str) -> list[str]:
    return _TOKENS.findall(fold(text))


class _Recognizer:
    """Finds out which terms a marked passage stands for. The highlighter does not say it."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = [(1 << number, term, _tokens(term.text)) for number, term in enumerate(terms)]
        self._known: dict[str, int] = {}

    def terms_in(self, passage: str) -> int:
        """One bit a term."""
        if len(self._terms) == 1:
            return 1
        if passage not in self._known:
            self._known[passage] = self._recognize(_tokens(passage))
        return self._known[passage]

    def _recognize(self, passage: list[str]) -> int:
        exactly = sum(bit for bit, term, tokens in self._terms if _contains(passage, term, tokens))
        if exactly or not self._terms:
            return exactly
        # Another form of a word, or a misspelled one: the term with the longest common beginning.
        whole = " ".join(passage)
        return max(self._terms, key=lambda each: _similarity(" ".join(each[2]), whole))[0]


def _contains(passage: list[str], term: Term, tokens: list[str]) -> bool:
    if isinstance(term, Prefix):
        return bool(tokens) and any(token.startswith(tokens[-1]) for token in passage)
    if isinstance(term, Phrase) and term.slop:
        return set(tokens) <= set(passage)
    inside, outside = "".join(tokens), "".join(passage)
    if not inside.isascii() and inside in outside:
        # Analyzers split scripts without spaces differently in a long text than in a short one.
        return True
    return f" {' '.join(tokens)} " in f" {' '.join(passage)} "


def _similarity(term: str, passage: str) -> float:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(term, passage, strict=False)))
    return same / max(len(term), len(passage), 1)
