"""The places that have most of the words, when no video has all of them.

Only the plain words of the query become optional. Phrases, filters, exclusions, other operators and required
words still hold. Rare words weigh more: videos that have them are counted in the caller's library alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.search import facets, hits, moments
from shared.search.compiler import EVERYTHING, Clause, Compiler
from shared.search.hits import Spoken
from shared.search.index.folding import fold
from shared.search.pages import Pages
from shared.search.placing import within
from shared.search.query import And, Node, Query, Term, Word
from shared.search.ranked import Reading

#: Videos whose places are compared. Each of them is read with its whole transcript.
_CANDIDATES = 20
#: A video is a hit if it has so much of the weight that the best one has.
_ENOUGH = 0.5
#: How much the usual score counts. It only orders videos that have the same words.
_TIE_BREAK = 0.0005


@dataclass(frozen=True, slots=True)
class Loose:
    """A query whose words need not all be there. ``held``: what has to be. ``words``: the others."""

    held: tuple[Node, ...]
    words: tuple[Word, ...]

    @property
    def terms(self) -> list[Term]:
        """What is to be found in a place, the words first."""
        return [*self.words, *Query(And(self.held)).terms()]


@dataclass(frozen=True, slots=True)
class Place:
    """A hit, its transcript with the places that have most of the words, and the words that it lacks."""

    found: Mapping[str, Any]
    said: Spoken
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """The best places of at most ``limit`` videos, the best first.

    ``total``, ``counts`` (the facets): of all hits. ``missing``: words that no place has. ``partial``:
    Elasticsearch ran out of time.
    """

    hits: Sequence[Place]
    total: int
    counts: facets.Facets
    missing: tuple[str, ...]
    partial: bool


def demanding(query: Query, required: Sequence[str]) -> Query:
    """The query, which a hit has to match, and the words that it must have beside."""
    if not required:
        return query
    parts = query.anded()
    typed = {fold(word.text) for word in _plain(parts)}
    more = tuple(Word(word) for word in required if fold(word) not in typed)
    return replace(query, root=And((*parts, *more)))


def loosen(query: Query, required: Collection[str]) -> Loose | None:
    """The query with its plain words optional. None if there are no two words, or all are required."""
    parts = query.anded()
    kept = set(map(fold, required))
    plain = _plain(parts)
    optional = list(dict.fromkeys(word for word in plain if fold(word.text) not in kept))
    if len(plain) < 2 or not optional:
        return None
    held = tuple(part for part in parts if part not in optional)
    return Loose(held, tuple(optional))


def _plain(parts: Sequence[Node]) -> list[Word]:
    return [part for part in parts if isinstance(part, Word) and part.field is None]


def read(pages: Pages, reading: Reading, loose: Loose) -> Places | None:
    """The places that have most of the words. None if no video has any of them.

    Raises:
        BadRequest: Elasticsearch does not accept the search.
        Transient: Elasticsearch does not answer.
    """
    return pages.answer(reading, lambda reading, compiler: _read(reading, compiler, loose))


def _read(reading: Reading, compiler: Compiler, loose: Loose) -> Places | None:
    weights = _weigh(reading, compiler, loose)
    known = [word for word in loose.words if weights[word]]
    if not known and not Query(And(loose.held)).terms():
        return None
    clause = _clause(reading, compiler, loose, weights)
    chosen = facets.filters(reading.scope, reading.params)
    body: dict[str, Any] = {"post_filter": {"bool": {"filter": list(chosen.values())}}} if chosen else {}
    found = reading.scope.search(
        clause,
        size=max(_CANDIDATES, reading.params.limit),
        track_total_hits=False,
        track_scores=True,
        sort=[{"_score": "desc"}, {"video_id": "asc"}],
        source=hits.SOURCE,
        highlight=compiler.highlight(reading.query),
        **body,
    )
    candidates = found["hits"]["hits"]
    if not candidates:
        return None
    enough = _ENOUGH * candidates[0]["_score"]
    counted = reading.scope.search(
        clause,
        size=0,
        min_score=enough,
        track_total_hits=True,
        aggs=facets.aggregations(reading.scope, chosen),
        **body,
    )
    ranked = sorted(
        (_place(each, loose, weights) for each in candidates if each["_score"] >= enough),
        key=lambda each: each[0],
        reverse=True,
    )
    shown = [place for _, place in ranked[: reading.params.limit]]
    total = counted["hits"]["total"]["value"]
    return Places(
        shown,
        total,
        facets.view(counted["aggregations"], reading.scope, total),
        tuple(word.text for word in loose.words if all(word.text in each.missing for each in shown)),
        bool(found["timed_out"] or counted["timed_out"]),
    )


def _weigh(reading: Reading, compiler: Compiler, loose: Loose) -> dict[Term, float]:
    """How much each term counts: all together 1. A word that the library does not have counts nothing."""
    filters = {str(number): compiler.presence(word) for number, word in enumerate(loose.words)}
    answer = reading.scope.search(
        EVERYTHING, size=0, track_total_hits=True, aggs={"words": {"filters": {"filters": filters}}}
    )
    videos = answer["hits"]["total"]["value"]
    buckets = answer["aggregations"]["words"]["buckets"]
    values: dict[Term, float] = {
        word: _rarity(videos, buckets[str(number)]["doc_count"]) for number, word in enumerate(loose.words)
    }
    # Every hit has what has to be there. A place that has it, too, is better than one that has it not.
    values = dict.fromkeys(loose.terms, max(values.values()) or 1.0) | values
    total = sum(values.values()) or 1.0
    return {term: value / total for term, value in values.items()}


def _rarity(videos: int, having: int) -> float:
    """The inverse document frequency of BM25; 0 for none."""
    return math.log(1 + (videos - having + 0.5) / (having + 0.5)) if having else 0.0


def _clause(reading: Reading, compiler: Compiler, loose: Loose, weights: Mapping[Term, float]) -> Clause:
    """Scored by the weights of the words that a video has."""
    scored: list[Clause] = []
    for number, word in enumerate(loose.words):
        if weights[word]:
            presence = compiler.presence(word)
            scored += [
                {"constant_score": {"filter": presence, "boost": weights[word], "_name": str(number)}},
                {"bool": {"must": [compiler.term(word)], "boost": _TIE_BREAK * weights[word]}},
            ]
    must_have_one = 0 if Query(And(loose.held)).terms() else 1
    any_of = {
        "filter": [compiler.held(loose.held)] if loose.held else [],
        "should": scored,
        "minimum_should_match": must_have_one,
    }
    return within(facets.limited({"bool": any_of}, reading.params), reading.params, reading.placing)


def _place(
    found: Mapping[str, Any], loose: Loose, weights: Mapping[Term, float]
) -> tuple[tuple[float, float], Place]:
    """A hit with its rank: what its best place and its title have, then what the whole video has."""
    spoken_terms = {term: weight for term, weight in weights.items() if weight and term.field is None}
    said = hits.spoken(found, lambda text, spans, lines: moments.find_some(text, spans, lines, spoken_terms))
    terms = list(spoken_terms)
    # The title says what each place is about. Without captions, it and the description are the place.
    about = moments.terms_of(*hits.marked_or_plain(found, "title"), terms)
    if not said.moments:
        about |= moments.terms_of(*hits.marked_or_plain(found, "description"), terms)
    places = [each.found | about for each in said.moments] or [about]
    best = max(_sum(each, terms, weights) for each in places)
    has = set(found.get("matched_queries", ()))
    missing = tuple(word.text for number, word in enumerate(loose.words) if str(number) not in has)
    return (best, found["_score"]), Place(found, said, missing)


def _sum(bits: int, terms: Sequence[Term], weights: Mapping[Term, float]) -> float:
    return sum(weights[term] for number, term in enumerate(terms) if bits >> number & 1)
