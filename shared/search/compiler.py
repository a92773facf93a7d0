"""Compiles a query to Elasticsearch's query language: which videos match, their scores, and the marks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

from shared.search.index.analysis import MATCH_BEGINS, MATCH_ENDS, is_spaceless
from shared.search.index.folding import fold, names
from shared.search.index.languages import UNSTEMMED
from shared.search.index.mapping import TEXTS, stems
from shared.search.query import (
    And,
    Filter,
    Fuzzy,
    Language,
    Lasting,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Published,
    Query,
    Term,
    Video,
    Word,
)

Clause = dict[str, Any]

#: Words of a query that stand so many words apart at most are near each other.
NEARBY_SLOP = 12
#: The most words times languages of one query. Sixty-four words in thirty languages would take seconds.
MAXIMUM_FORMS = 400
NOTHING: Clause = {"match_none": {}}
EVERYTHING: Clause = {"match_all": {}}


@dataclass(frozen=True, slots=True)
class Weights:
    """How much a match counts, tuned with tests/benchmarks/bench_relevance.py.

    ``exactness``: factor of a word as it was typed, compared to its other forms. ``phrase`` and ``nearby``:
    for words of the query that stand together as a phrase, or near each other. ``sounds``: of the sounds in a
    transcript's brackets.
    """

    title: float = 3.0
    description: float = 0.6
    transcript: float = 1.0
    chapter: float = 2.0
    exactness: float = 1.2
    phrase: float = 2.0
    nearby: float = 1.0
    sounds: float = 0.02

    def of(self, text: str) -> float:
        return float(getattr(self, text))


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Compiler:
    """Compiles queries.

    ``texts``: the texts in which a term without a field is searched. ``analyzers``: those of the videos in
    the caller's library. ``stemming``: other forms of a word are found, too. ``sounds``: so are the
    sounds in a transcript's brackets.
    """

    texts: Sequence[str]
    analyzers: Collection[str]
    stemming: bool = True
    weights: Weights = WEIGHTS
    sounds: bool = True

    @classmethod
    def for_query(
        cls, query: Query, texts: Sequence[str], analyzers: Collection[str], weights: Weights = WEIGHTS
    ) -> Compiler:
        """Without stemming if the query is too long for so many languages: see :data:`MAXIMUM_FORMS`."""
        stemming = len(query.terms()) * len(analyzers) <= MAXIMUM_FORMS
        return cls(texts, analyzers, stemming, weights)

    def query(self, query: Query, q: str, *, nearness: bool = True) -> Clause:
        """The scored clause that a hit has to match. ``q``: the text of the query.

        ``nearness``: hits in which the words stand together have a better score.
        """
        if query.root is None:
            # An empty search finds everything. Punctuation alone ("?!") finds nothing.
            return NOTHING if q.strip() else EVERYTHING
        clause = self._node(query.root)
        near = self.nearness(query) if nearness else None
        return {"bool": {"must": [clause], "should": [near]}} if near else clause

    def presence(self, term: Term) -> Clause:
        """The unscored clause of the videos that have the term in any text in which it is searched."""
        return {
            "bool": {"should": [clause for text in self._texts_of(term) for clause in self._in(text, term)]}
        }

    def term(self, term: Term) -> Clause:
        """The scored clause of one term."""
        return self._term(term)

    def held(self, parts: Sequence[Node]) -> Clause:
        """The clause of the parts that all have to hold, as the parts of an AND."""
        return self._node(And(tuple(parts)))

    def marks(self, query: Query, text: str) -> Clause | None:
        """The clause whose matches are marked in one text: all terms that are searched there."""
        clauses = [
            clause
            for term in query.terms()
            if text in self._texts_of(term)
            for clause in self._in(text, term)
        ]
        return {"bool": {"should": clauses}} if clauses else None

    def highlight(self, query: Query) -> Clause | None:
        """The ``highlight`` section of a request; None if there is nothing to mark.

        The highlighter returns the whole text, so that the offset of a mark is an offset in the text.
        """
        fields: dict[str, Any] = {}
        for text in TEXTS:
            marks = self.marks(query, text)
            if marks is None:
                continue
            # All fields of a text have the same offsets, so the matches of all can be marked in one.
            others = ["sounds"] if text == "transcript" else []
            names = [text, *others, *(stems(text, name) for name in sorted(self.analyzers))]
            fields[text] = {"matched_fields": names, "highlight_query": marks}
        if not fields:
            return None
        return {
            "type": "unified",
            "number_of_fragments": 0,
            "pre_tags": [MATCH_BEGINS],
            "post_tags": [MATCH_ENDS],
            "fields": fields,
        }

    def _node(self, node: Node) -> Clause:
        match node:
            case And(parts):
                scored: list[Clause] = []
                unscored: list[Clause] = []
                excluded: list[Clause] = []
                for part in parts:
                    match part:
                        case Not(inner):
                            excluded.append(self._excluded(inner))
                        case Language() | Published() | Lasting() | Video():
                            unscored.append(filter_clause(part))
                        case _:
                            scored.append(self._node(part))
                return {"bool": {"must": scored, "filter": unscored, "must_not": excluded}}
            case Or(parts):
                return {"bool": {"should": [self._node(part) for part in parts], "minimum_should_match": 1}}
            case Not(part):
                return {"bool": {"must_not": [self._excluded(part)]}}
            case Language() | Published() | Lasting():
                return {"constant_score": {"filter": filter_clause(node), "boost": 0.0}}
            case Video():
                # The video comes before others that only mention its id.
                return {"constant_score": {"filter": filter_clause(node), "boost": 1000.0}}
            case Word() | Phrase() | Prefix() | Fuzzy():
                return self._term(node)
            case _:
                assert_never(node)

    def _excluded(self, node: Node) -> Clause:
        """What is excluded was said or written. A sound in brackets excludes no video."""
        return replace(self, sounds=False)._node(node)

    def _texts_of(self, term: Term) -> Sequence[str]:
        return (term.field,) if term.field else self.texts

    def _term(self, term: Term) -> Clause:
        if term.field == "channel":
            clauses = [_matching("channel_words", term)]
        else:
            clauses = [clause for text in self._texts_of(term) for clause in self._in(text, term)]
        return {"dis_max": {"queries": clauses, "tie_breaker": 0.2}}

    def _in(self, text: str, term: Term) -> list[Clause]:
        """The term in the text itself, in its sounds and, if it is a word, in the field of each language."""
        weight = self.weights.of(text)
        as_typed = [_matching(text, term, weight * self.weights.exactness)]
        if text == "transcript" and self.sounds:
            as_typed.append(_matching("sounds", term, self.weights.sounds))
        return [*as_typed, *(_matching(stems(text, name), term, weight) for name in self._languages(term))]

    def _languages(self, term: Term) -> list[str]:
        """The analyzers in whose fields a term is searched, too."""
        match term:
            case Word(words) if self.stemming:
                return [] if names(words) else sorted(self.analyzers)
            case Fuzzy():
                return []
            case Prefix(words) if not is_spaceless(words):
                return []
        # A phrase is exact. Scripts without spaces need an analyzer that splits them.
        return sorted(UNSTEMMED.intersection(self.analyzers))

    def nearness(self, query: Query) -> Clause | None:
        """The clause that scores that the plain words stand together. None if there are no two of them."""
        if not isinstance(query.root, And):
            return None
        words = [part.text for part in query.root.parts if isinstance(part, Word) and part.field is None]
        if not 2 <= len(words) <= 12:
            return None
        together = " ".join(words)
        clauses = [
            _phrase(text, together, slop, self.weights.of(text) * boost)
            for text in self.texts
            for slop, boost in ((0, self.weights.phrase), (NEARBY_SLOP, self.weights.nearby))
        ]
        return {"bool": {"should": clauses}}


def filter_clause(node: Filter) -> Clause:
    """The clause of a filter in the query language."""
    match node:
        case Language(code):
            return language_clause(code)
        case Published(after, before):
            return published_clause(after, before)
        case Lasting(longer, shorter):
            return length_clause(gt=longer, lt=shorter)
        case Video(video_id):
            return {"term": {"video_id": video_id}}
        case _:
            assert_never(node)


def language_clause(code: str) -> Clause:
    """``pt`` also finds ``pt-BR``. ``pt-BR`` finds only itself."""
    wanted = {"value": code, "case_insensitive": True}
    broader = {"value": f"{code}-", "case_insensitive": True}
    clauses = [{"term": {"language": wanted}}, {"prefix": {"language": broader}}]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def published_clause(after: str | None, before: str | None) -> Clause:
    """``after``: on that day or later. ``before``: earlier than that day."""
    return _range("published_at", gte=after, lt=before, format="strict_date")


def length_clause(**bounds: float | None) -> Clause:
    """Bounds of the duration in seconds, named as in Elasticsearch: gt, gte, lt, lte."""
    return _range("duration_seconds", **bounds)


def _range(field: str, **bounds: Any) -> Clause:
    return {"range": {field: {name: value for name, value in bounds.items() if value is not None}}}


def _phrase(field: str, words: str, slop: int, boost: float) -> Clause:
    # Used for single words, too: a word can be several tokens (well-known, 機械学習), which stand together.
    return {"match_phrase": {field: {"query": words, "slop": slop, "boost": round(boost, 4)}}}


def _matching(field: str, term: Term, boost: float = 1.0) -> Clause:
    match term:
        case Word(words):
            return _phrase(field, words, 0, boost)
        case Phrase(words, slop):
            return _phrase(field, words, slop, boost)
        case Prefix(words):
            beginning = fold(words)
            if beginning.isalnum() and not is_spaceless(beginning):
                return {"prefix": {field: {"value": beginning, "boost": boost}}}
            # Several tokens. Only the last one is the beginning of a word.
            return {"match_phrase_prefix": {field: {"query": words, "max_expansions": 200, "boost": boost}}}
        case Fuzzy(words, edits):
            fuzziness = "AUTO" if edits is None else edits
            options = {"fuzziness": fuzziness, "prefix_length": 1, "max_expansions": 50, "operator": "and"}
            return {"match": {field: {"query": words, **options, "boost": boost}}}
        case _:
            assert_never(term)
