"""From what is asked to Elasticsearch's queries: what matches, in which order, and what is marked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from shared.analysis import DEFAULT, MATCH_BEGINS, MATCH_ENDS, UNSTEMMED, fold, is_spaceless
from shared.query import (
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
    Word,
)

Clause = dict[str, Any]

#: How much a match in each text counts; held against the judged set of tests/benchmarks/bench_relevance.py.
WEIGHTS = {"title": 3.0, "description": 0.6, "transcript": 1.0}
#: A word as it was typed over another form of it.
EXACTNESS = 1.2
#: The words of a query as one phrase, and within this many words of each other.
AS_PHRASE = 2.0
NEARBY = 1.0
NEARBY_SLOP = 12
#: Words times languages of one query. Sixty-four words in thirty languages take seconds otherwise.
MAXIMUM_FORMS = 400
NOTHING: Clause = {"match_none": {}}
EVERYTHING: Clause = {"match_all": {}}


@dataclass(frozen=True, slots=True)
class Compiler:
    """``texts``: searched when a term names none; ``analyzers``: those that videos in reach have."""

    texts: Sequence[str]
    analyzers: Collection[str]
    #: Whether words are looked for in their other forms, too.
    stemming: bool = True

    @classmethod
    def of(cls, query: Query, texts: Sequence[str], analyzers: Collection[str]) -> Compiler:
        """Long queries over many languages are searched as they were typed: see :data:`MAXIMUM_FORMS`."""
        return cls(texts, analyzers, len(query.terms()) * len(analyzers) <= MAXIMUM_FORMS)

    def query(self, query: Query, q: str) -> Clause:
        """What a hit has to match, scored."""
        if query.root is None:
            # Nothing asked for is everything; nothing that can be asked for ("?!") is nothing.
            return NOTHING if q.strip() else EVERYTHING
        clause = self._node(query.root)
        nearness = self._nearness(query.root)
        return {"bool": {"must": [clause], "should": nearness}} if nearness else clause

    def marks(self, query: Query, text: str) -> Clause | None:
        """What is to be marked in one text: every term that is looked for there, none of the excluded."""
        clauses = [
            clause
            for term in query.terms()
            if text in self._texts_of(term)
            for clause in self._in(text, term)
        ]
        return {"bool": {"should": clauses}} if clauses else None

    def highlight(self, query: Query) -> Clause | None:
        """The ``highlight`` section: whole texts with marks, so that an offset is an offset."""
        fields: dict[str, Any] = {}
        for text in ("title", "description", "transcript"):
            marks = self.marks(query, text)
            if marks is None:
                continue
            for analyzer in {*self.analyzers, DEFAULT}:
                name = f"{text}.{analyzer}"
                # The folded text has the same characters at the same places: its matches are marked here.
                fields[name] = {"matched_fields": [name, f"{text}.exact"], "highlight_query": marks}
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
                            excluded.append(self._node(inner))
                        case Language() | Published() | Lasting():
                            unscored.append(filter_clause(part))
                        case _:
                            scored.append(self._node(part))
                return {"bool": {"must": scored, "filter": unscored, "must_not": excluded}}
            case Or(parts):
                return {"bool": {"should": [self._node(part) for part in parts], "minimum_should_match": 1}}
            case Not(part):
                return {"bool": {"must_not": [self._node(part)]}}
            case Language() | Published() | Lasting():
                return {"constant_score": {"filter": filter_clause(node), "boost": 0.0}}
            case Word() | Phrase() | Prefix() | Fuzzy():
                return self._term(node)
            case _:
                assert_never(node)

    def _texts_of(self, term: Term) -> Sequence[str]:
        return (term.field,) if term.field else self.texts

    def _term(self, term: Term) -> Clause:
        if term.field == "channel":
            clauses = _matching("channel_words", term)
        else:
            clauses = [clause for text in self._texts_of(term) for clause in self._in(text, term)]
        return {"dis_max": {"queries": clauses, "tie_breaker": 0.2}}

    def _in(self, text: str, term: Term) -> list[Clause]:
        """The term in the exact field and, for words, in every language's."""
        weight = WEIGHTS.get(text, 1.0)
        exact = f"{text}.exact"
        match term:
            case Word(words):
                forms = [_phrase(f"{text}.{name}", words, 0, weight) for name in sorted(self._languages())]
                return [_phrase(exact, fold(words), 0, weight * EXACTNESS), *forms]
            case Phrase(words, slop):
                # Exact means not stemmed; scripts without spaces need an analyzer that cuts their words.
                names = sorted(self._languages() & UNSTEMMED)
                forms = [_phrase(f"{text}.{name}", words, slop, weight) for name in names]
                return [_phrase(exact, fold(words), slop, weight * EXACTNESS), *forms]
            case Prefix(words) if is_spaceless(words):
                names = sorted(self._languages() & UNSTEMMED)
                others = [clause for name in names for clause in _matching(f"{text}.{name}", term, weight)]
                return [*_matching(exact, term, weight), *others]
            case _:
                return _matching(exact, term, weight)

    def _languages(self) -> set[str]:
        return set(self.analyzers) - {DEFAULT} if self.stemming else set(self.analyzers) & UNSTEMMED

    def _nearness(self, root: Node) -> list[Clause]:
        """Scores, but never demands, that plain words stand together."""
        if not isinstance(root, And):
            return []
        words = [part.text for part in root.parts if isinstance(part, Word) and part.field is None]
        if not 2 <= len(words) <= 12:
            return []
        together = fold(" ".join(words))
        return [
            _phrase(f"{text}.exact", together, slop, WEIGHTS[text] * boost)
            for text in self.texts
            for slop, boost in ((0, AS_PHRASE), (NEARBY_SLOP, NEARBY))
        ]


def filter_clause(node: Filter) -> Clause:
    """A filter of the query language."""
    match node:
        case Language(code):
            return language_clause(code)
        case Published(after, before):
            return published_clause(after, before)
        case Lasting(longer, shorter):
            bounds = {"gt": longer, "lt": shorter}
            return {"range": {"duration_seconds": {k: v for k, v in bounds.items() if v is not None}}}
        case _:
            assert_never(node)


def language_clause(code: str) -> Clause:
    """``pt`` finds ``pt-BR`` too, ``pt-BR`` only itself."""
    wanted = {"value": code, "case_insensitive": True}
    broader = {"value": f"{code}-", "case_insensitive": True}
    clauses = [{"term": {"language": wanted}}, {"prefix": {"language": broader}}]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def published_clause(after: str | None, before: str | None) -> Clause:
    bounds = {"gte": after, "lt": before, "format": "strict_date"}
    return {"range": {"published_at": {k: v for k, v in bounds.items() if v is not None}}}


def _phrase(field: str, words: str, slop: int, boost: float) -> Clause:
    # A word, too, may be several tokens (well-known, 機械学習): they have to stand together.
    return {"match_phrase": {field: {"query": words, "slop": slop, "boost": round(boost, 4)}}}


def _matching(field: str, term: Term, boost: float = 1.0) -> list[Clause]:
    match term:
        case Word(words):
            return [_phrase(field, fold(words), 0, boost)]
        case Phrase(words, slop):
            return [_phrase(field, fold(words), slop, boost)]
        case Prefix(words):
            beginning = fold(words).lower()
            if beginning.isalnum() and not is_spaceless(beginning):
                return [{"prefix": {field: {"value": beginning, "boost": boost}}}]
            # Several tokens: the last of them is the beginning of a word.
            options = {"query": beginning, "max_expansions": 200, "boost": boost}
            return [{"match_phrase_prefix": {field: options}}]
        case Fuzzy(words, edits):
            fuzziness = "AUTO" if edits is None else edits
            options = {"fuzziness": fuzziness, "prefix_length": 1, "max_expansions": 50, "operator": "and"}
            return [{"match": {field: {"query": fold(words), **options, "boost": boost}}}]
        case _:
            assert_never(term)
