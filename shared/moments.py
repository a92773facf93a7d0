"""Where in a video something was said: from the highlighter's marks to seconds and snippets.

The highlighter returns the whole transcript with marks around matches, so a mark's place is an
offset in the text, and the offset falls into one caption line. A passage that stands twice is
marked twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.analysis import MATCH_BEGINS, MATCH_ENDS, fold
from shared.query import And, Fuzzy, Node, Not, Or, Phrase, Prefix, Query, Term, Word
from shared.search_lines import Lines

Span = tuple[int, int]

#: Characters (some ten seconds of speech): what an AND asks for is in one place if it is within so much.
PLACE = 250


@dataclass(frozen=True, slots=True)
class Moment:
    """A place that matches: characters ``begin`` to ``end``; ``line``: number of the line it begins in."""

    begin: int
    end: int
    line: int
    found: frozenset[Term]


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


def find(text: str, spans: Sequence[Span], lines: Lines, query: Query) -> list[Moment]:
    """Every place that matches, in order, at most one a line.

    Places where all that is asked for stands together, if there are any. Otherwise the places of
    the single words: the words of an AND may be minutes apart.
    """
    root = query.root
    if root is None or not spans:
        return []
    recognise = _Recogniser([term for term in query.terms() if term.field in (None, "transcript")])
    marked = [(begin, end, recognise(text[begin:end])) for begin, end in spans]
    places = _together(marked, root) or _scattered(marked)
    moments: dict[int, Moment] = {}
    for begin, end, found in places:
        line = lines.at(begin)
        if line not in moments or len(found) > len(moments[line].found):
            moments[line] = Moment(begin, end, line, found)
    return list(moments.values())


def best(moments: Sequence[Moment], limit: int) -> list[Moment]:
    """The most telling ones, in order of time; each part of the query is shown at least once if it can be."""
    chosen: list[Moment] = []
    shown: frozenset[Term] = frozenset()
    left = sorted(moments, key=lambda moment: (-len(moment.found), moment.end - moment.begin, moment.begin))
    while left and len(chosen) < limit:
        new = next((moment for moment in left if not moment.found <= shown), left[0])
        left.remove(new)
        chosen.append(new)
        shown |= new.found
    return sorted(chosen, key=lambda moment: moment.begin)


_Marked = tuple[int, int, frozenset[Term]]


def _together(marked: Sequence[_Marked], root: Node) -> list[_Marked]:
    """The shortest stretches that have all that is asked for, without overlap."""
    places: list[_Marked] = []
    first = 0
    while first < len(marked):
        found: frozenset[Term] = frozenset()
        last = first
        while last < len(marked) and marked[last][1] - marked[first][0] <= max(PLACE, _length(marked[first])):
            found |= marked[last][2]
            if _satisfied(root, found):
                break
            last += 1
        else:
            first += 1
            continue
        # Starting later may do as well: "the … the origin" begins at the second "the".
        for later in range(first + 1, last + 1):
            rest = frozenset().union(*(each[2] for each in marked[later : last + 1]))
            if not _satisfied(root, rest):
                break
            first, found = later, rest
        places.append((marked[first][0], marked[last][1], found))
        first = last + 1
    return places


def _length(each: _Marked) -> int:
    return each[1] - each[0]


def _scattered(marked: Sequence[_Marked]) -> list[_Marked]:
    """Stretches with no term twice. Words that are everywhere here, beside rarer ones, make no place."""
    counts: dict[Term, int] = {}
    for _, _, found in marked:
        for term in found:
            counts[term] = counts.get(term, 0) + 1
    common = max(20, 5 * min(counts.values()))
    telling = [each for each in marked if any(counts[term] <= common for term in each[2])]
    places: list[_Marked] = []
    for begin, end, found in telling:
        if places:
            first, _, seen = places[-1]
            if not found & seen and end - first <= PLACE:
                places[-1] = (first, end, seen | found)
                continue
        places.append((begin, end, found))
    return places


def _satisfied(node: Node, found: frozenset[Term]) -> bool:
    match node:
        case And(parts):
            return all(_satisfied(part, found) for part in parts)
        case Or(parts):
            return any(_satisfied(part, found) for part in parts)
        case Word() | Phrase() | Prefix() | Fuzzy():
            # What is looked for elsewhere (title:) asks nothing of a place.
            return node in found or node.field is not None
        case Not():
            return True
        case _:
            return True  # a filter: it is about the video


_TOKENS = re.compile(r"\w+")


def _tokens(text: str) -> list[str]:
    return _TOKENS.findall(fold(text).lower())


class _Recogniser:
    """Which terms a marked passage stands for. The highlighter does not say, so by likeness."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = [(term, _tokens(term.text)) for term in terms]
        self._known: dict[str, frozenset[Term]] = {}

    def __call__(self, passage: str) -> frozenset[Term]:
        if passage not in self._known:
            self._known[passage] = self._recognise(_tokens(passage))
        return self._known[passage]

    def _recognise(self, passage: list[str]) -> frozenset[Term]:
        if len(self._terms) == 1:
            return frozenset({self._terms[0][0]})
        exactly = frozenset(term for term, tokens in self._terms if _contains(passage, term, tokens))
        if exactly or not self._terms:
            return exactly
        # Another form of a word (stemming), or a misspelt one: the term that begins most alike.
        whole = " ".join(passage)
        return frozenset({max(self._terms, key=lambda pair: _likeness(" ".join(pair[1]), whole))[0]})


def _contains(passage: list[str], term: Term, tokens: list[str]) -> bool:
    if isinstance(term, Prefix):
        return any(token.startswith(tokens[-1]) for token in passage) if tokens else False
    if isinstance(term, Phrase) and term.slop:
        return set(tokens) <= set(passage)
    # Joined, because scripts without spaces are cut into words differently in the long text.
    inside, outside = "".join(tokens), "".join(passage)
    return (
        tokens == passage
        or (len(passage) > 1 and f" {' '.join(tokens)} " in f" {' '.join(passage)} ")
        or (not inside.isascii() and inside in outside)
    )


def _likeness(term: str, passage: str) -> float:
    same = next((i for i, (a, b) in enumerate(zip(term, passage, strict=False)) if a != b), None)
    same = min(len(term), len(passage)) if same is None else same
    return same / max(len(term), len(passage), 1)
