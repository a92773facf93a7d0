"""Moments: the places of a video where the query was said, found from the highlighter's marks.

The highlighter returns the whole transcript with marks around matches. So the position of a mark is an
offset in the text, and the offset belongs to one caption line. A passage that was said twice has two marks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class Moment:
    """A place that matches: the characters from ``begin`` to ``end``.

    ``line``: the number of the caption line in which it begins. ``found``: the terms of the query that are
    there, one bit each.
    """

    begin: int
    end: int
    line: int
    found: int


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
            moments[line] = Moment(begin, end, line, found)
    return list(moments.values())


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
    """The moments with the most terms, in order of time. Each term is in one of them if ``limit`` allows."""
    chosen: list[Moment] = []
    shown = 0
    left = sorted(moments, key=lambda each: (-each.found.bit_count(), each.end - each.begin, each.begin))
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
