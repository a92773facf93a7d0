"""Where in a video something was said: from the highlighter's marks to seconds and snippets.

The highlighter returns the whole transcript with marks around matches, so a mark's place is an
offset in the text, and the offset falls into one caption line. A passage that stands twice is
marked twice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import takewhile
from operator import or_

from shared.analysis import MATCH_BEGINS, MATCH_ENDS, fold
from shared.query import And, Fuzzy, Node, Or, Phrase, Prefix, Query, Term, Word
from shared.search_lines import LineIndex

Span = tuple[int, int]

#: Characters (some ten seconds of speech): what an AND asks for is in one place if it is within so much.
PLACE = 250


@dataclass(frozen=True, slots=True)
class Moment:
    """A place that matches: characters ``begin`` to ``end``; ``line``: number of the line it begins in.

    ``found``: what of the query stands there, a bit for each of its terms.
    """

    begin: int
    end: int
    line: int
    found: int


def unmark(marked: str) -> tuple[str, list[Span]]:
    """The text without marks, and the spans that were marked (those that touch are one)."""
    parts = re.split(f"([{MATCH_BEGINS}{MATCH_ENDS}])", marked)
    texts: list[str] = []
    spans: list[Span] = []
    length = begin = 0
    for part in parts:
        if part == MATCH_BEGINS:
            begin = length
        elif part == MATCH_ENDS:
            # Pairs of characters (cjk) that overlap come as neighbours.
            if spans and spans[-1][1] == begin:
                begin = spans.pop()[0]
            spans.append((begin, length))
        else:
            texts.append(part)
            length += len(part)
    return "".join(texts), spans


def find(text: str, spans: Sequence[Span], lines: LineIndex, query: Query) -> list[Moment]:
    """Every place that matches, in order, at most one a line.

    Places where all that is asked for stands together, if there are any. Otherwise the places of
    the single words: the words of an AND may be minutes apart.
    """
    root = query.root
    if root is None or not spans:
        return []
    terms = [term for term in query.terms() if term.field is None]
    recognise = _Recogniser(terms)
    marked = [(begin, end, recognise(text[begin:end])) for begin, end in spans]
    places = _together(marked, _Satisfied(root, terms)) or _scattered(marked)
    moments: dict[int, Moment] = {}
    for begin, end, found in places:
        line = lines.at(begin)
        if line not in moments or found.bit_count() > moments[line].found.bit_count():
            moments[line] = Moment(begin, end, line, found)
    return list(moments.values())


def best(moments: Sequence[Moment], limit: int) -> list[Moment]:
    """The most telling ones, in order of time; each part of the query is shown at least once if it can be."""
    chosen: list[Moment] = []
    shown = 0
    left = sorted(moments, key=lambda each: (-each.found.bit_count(), each.end - each.begin, each.begin))
    while left and len(chosen) < limit:
        new = next((moment for moment in left if moment.found & ~shown), left[0])
        left.remove(new)
        chosen.append(new)
        shown |= new.found
    return sorted(chosen, key=lambda moment: moment.begin)


_Marked = tuple[int, int, int]


class _Satisfied:
    """Whether a place that has these terms has all that is asked for."""

    def __init__(self, root: Node, terms: Sequence[Term]) -> None:
        self._root = root
        self._bits = {term: 1 << number for number, term in enumerate(terms)}
        self._known: dict[int, bool] = {}

    def __call__(self, found: int) -> bool:
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
                # What is looked for elsewhere (title:) asks nothing of a place.
                return node.field is not None or bool(self._bits[node] & found)
            case _:
                return True  # what is excluded, and filters, are about the video


def _together(marked: Sequence[_Marked], satisfied: _Satisfied) -> list[_Marked]:
    """The shortest stretches that have all that is asked for, without overlap."""
    places: list[_Marked] = []
    first = 0
    while first < len(marked):
        begin, _, found = marked[first]
        last = first
        while not satisfied(found):
            last += 1
            if last == len(marked) or marked[last][1] - begin > PLACE:
                break
            found |= marked[last][2]
        else:
            # Starting later may do as well: "the … the origin" begins at the second "the".
            while first < last:
                rest = reduce(or_, (each[2] for each in marked[first + 1 : last + 1]))
                if not satisfied(rest):
                    break
                first, found = first + 1, rest
            places.append((marked[first][0], marked[last][1], found))
            first = last
        first += 1
    return places


def _scattered(marked: Sequence[_Marked]) -> list[_Marked]:
    """Stretches with no term twice. Words that are everywhere here, beside rarer ones, make no place."""
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
    return _TOKENS.findall(fold(text).lower())


class _Recogniser:
    """Which terms a marked passage stands for, as bits. The highlighter does not say, so by likeness."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = [(1 << number, term, _tokens(term.text)) for number, term in enumerate(terms)]
        self._known: dict[str, int] = {}

    def __call__(self, passage: str) -> int:
        if len(self._terms) == 1:
            return 1
        if passage not in self._known:
            self._known[passage] = self._recognise(_tokens(passage))
        return self._known[passage]

    def _recognise(self, passage: list[str]) -> int:
        exactly = sum(bit for bit, term, tokens in self._terms if _stands_in(passage, term, tokens))
        if exactly or not self._terms:
            return exactly
        # Another form of a word (stemming), or a misspelt one: the term that begins most alike.
        whole = " ".join(passage)
        return max(self._terms, key=lambda each: _likeness(" ".join(each[2]), whole))[0]


def _stands_in(passage: list[str], term: Term, tokens: list[str]) -> bool:
    if isinstance(term, Prefix):
        return bool(tokens) and any(token.startswith(tokens[-1]) for token in passage)
    if isinstance(term, Phrase) and term.slop:
        return set(tokens) <= set(passage)
    inside, outside = "".join(tokens), "".join(passage)
    if not inside.isascii() and inside in outside:
        # Scripts without spaces are cut into words differently in a long text.
        return True
    return f" {' '.join(tokens)} " in f" {' '.join(passage)} "


def _likeness(term: str, passage: str) -> float:
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(term, passage, strict=False)))
    return same / max(len(term), len(passage), 1)
