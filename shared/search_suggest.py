"""Completions while typing, and another spelling when little was found: both from the caller's library only.

Elasticsearch's suggesters know the words of the whole index, so of other people's libraries too. What
they propose is therefore counted within the library first, and only what is there is passed on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from shared import moments
from shared.analysis import DEFAULT, MATCH_BEGINS, MATCH_ENDS, clean, fold
from shared.errors import Permanent
from shared.query import MAXIMUM_FUZZY, Phrase, Query, Word
from shared.search_query import Clause
from shared.search_scope import Scope, analyzers_within, unknown_index

#: Suggestions of each kind; and of all.
_EACH, _ALL = 4, 10
#: Characters of what is being typed.
_LONGEST = 100
#: Words of a query that are looked up when nothing, or little, was found.
_WORDS = 8
#: Hits that are few: another spelling is looked for, and proposed if it has so many times as many.
FEW = 2
CLEARLY = 10
#: Letters of a word that may be a mistake although it was found.
_LONG = 5
_CANDIDATES = 10
#: Transcripts that are read for phrases.
_TRANSCRIPTS = 8
#: Characters of each of them, some twenty minutes: very long ones say everything, and take long to mark.
_CHARACTERS = 20_000
#: Words that a phrase goes on for after what was typed.
_WORDS_MORE = 2

_TOKEN = re.compile(r"\w+(?:'\w+)*")


def suggest(library: Sequence[str], user_id: str, typed: str) -> list[str]:
    """Titles, channels and frequent phrases of the library that go on from what was typed.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    scope = Scope.of(user_id, library)
    beginning = fold(clean(typed[:_LONGEST])).lower()
    if not scope.playlists or len(beginning) < (2 if beginning.isascii() else 1):
        return []
    try:
        asked = [_titles(beginning), _channels(beginning), _phrases(beginning, analyzers_within(scope))]
        titles, channels, phrases = scope.search_all(asked)
    except Permanent as error:
        if unknown_index(error):
            return []
        raise
    sources = [hit["_source"] for hit in titles["hits"]["hits"]]
    found = [
        *(source["title"][source.get("analyzer", DEFAULT)] for source in sources),
        *(bucket["key"] for bucket in channels["aggregations"]["channels"]["buckets"]),
        *_frequent(phrases, beginning),
    ]
    unique = {fold(text).casefold(): text for text in reversed(found)}
    return list(reversed(unique.values()))[:_ALL]


_Asked = tuple[Clause, dict[str, Any]]


def _titles(beginning: str) -> _Asked:
    query = {"match_bool_prefix": {"title.exact": {"query": beginning, "operator": "and"}}}
    return query, {"size": _EACH, "_source": ["title", "analyzer"], "track_total_hits": False}


def _channels(beginning: str) -> _Asked:
    query = {"match_phrase_prefix": {"channel_words": beginning}}
    channels = {"channels": {"terms": {"field": "channel", "size": _EACH}}}
    return query, {"size": 0, "aggs": channels, "track_total_hits": False}


def _phrases(beginning: str, analyzers: Sequence[str]) -> _Asked:
    said = {"match_phrase_prefix": {"transcript.exact": {"query": beginning, "max_expansions": 50}}}
    # In which order does not matter: without scores the first ones do, and that is quick.
    query = {"constant_score": {"filter": said}}
    fields = {
        f"transcript.{name}": {"matched_fields": [f"transcript.{name}", "transcript.exact"]}
        for name in {*analyzers, DEFAULT}
    }
    highlight = {
        "type": "unified",
        "number_of_fragments": 5,
        "max_analyzed_offset": _CHARACTERS,
        "fragment_size": 100,
        "boundary_scanner": "word",
        "pre_tags": [MATCH_BEGINS],
        "post_tags": [MATCH_ENDS],
        "fields": fields,
    }
    return query, {
        "size": _TRANSCRIPTS,
        "_source": False,
        "highlight": highlight,
        "track_total_hits": False,
        "timeout": "1s",
    }


def _frequent(answer: Mapping[str, Any], beginning: str) -> list[str]:
    """What is said after the typed words, most often first; said once is no frequent phrase."""
    counts: Counter[str] = Counter()
    for hit in answer["hits"]["hits"]:
        for fragments in hit.get("highlight", {}).values():
            for fragment in fragments:
                counts.update(_continuations(fragment))
    often = [(text, count) for text, count in counts.items() if count > 1 and text != beginning]
    # Of phrases said equally often, the longer tells more.
    often.sort(key=lambda pair: (-pair[1], -len(pair[0])))
    return [text for text, _ in often[:_EACH]]


def _continuations(fragment: str) -> list[str]:
    text, spans = moments.unmark(fragment)
    found = []
    for begin, end in spans:
        words = [match.end() for match in _TOKEN.finditer(text, begin) if match.end() >= end]
        found += [text[begin:stop].casefold() for stop in words[: _WORDS_MORE + 1]]
    return found


def did_you_mean(scope: Scope, q: str, asked: Query, found: int, count: Callable[[str], int]) -> str | None:
    """The query with words replaced by similar ones of the library, or None.

    ``found``: hits of the query as it is. ``count`` says how many hits a query has; what is proposed has
    at least one, or, where something was found, very many more.
    """
    words = _words_of(asked) if found == 0 else _unquoted(asked)
    if not words:
        return None
    candidates = _candidates(scope, words)
    here = _counted(scope, {*words, *(each for similar in candidates.values() for each in similar)})
    corrected = q
    for word in words:
        # A word that is said nowhere is a mistake; one that is rare beside its like may be.
        enough = max(here[word] * CLEARLY, 1)
        if here[word] and not found:
            continue
        better = next((each for each in candidates.get(word, []) if here[each] >= enough), None)
        if better:
            pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
            # The folded query has the same characters at the same places.
            if place := re.search(pattern, fold(corrected).lower()):
                corrected = corrected[: place.start()] + better + corrected[place.end() :]
    return corrected if corrected != q and count(corrected) >= max(found * CLEARLY, 1) else None


def _words_of(asked: Query) -> list[str]:
    return _tokens(
        term.text for term in asked.terms() if isinstance(term, Word | Phrase) and term.field != "channel"
    )


def _unquoted(asked: Query) -> list[str]:
    """Words that may be mistakes although they were found: what is quoted is meant, and short words have
    too many neighbours."""
    texts = (term.text for term in asked.terms() if isinstance(term, Word) and term.field != "channel")
    return [token for token in _tokens(texts) if len(token) >= _LONG]


def _tokens(texts: Iterable[str]) -> list[str]:
    tokens = [token for text in texts for token in _TOKEN.findall(fold(text).lower())]
    # Similar words are looked for by an automaton that grows with the word.
    return list(dict.fromkeys(token for token in tokens if 2 < len(token) <= MAXIMUM_FUZZY))[:_WORDS]


def _candidates(scope: Scope, words: Sequence[str]) -> dict[str, list[str]]:
    """Similar words of the whole index, most similar first."""
    suggest: dict[str, Any] = {}
    for number, word in enumerate(words):
        for text in ("transcript", "title", "description"):
            term = {
                "field": f"{text}.exact",
                "size": _CANDIDATES,
                "suggest_mode": "always",
                "min_word_length": 3,
                "prefix_length": 1,
            }
            suggest[f"{number}-{text}"] = {"text": word, "term": term}
    answer = scope.search({"match_none": {}}, size=0, suggest=suggest)
    found: dict[str, list[tuple[float, str]]] = {}
    for name, parts in answer["suggest"].items():
        options = [option for part in parts for option in part["options"]]
        found.setdefault(words[int(name.split("-")[0])], []).extend(
            (option["score"], option["text"]) for option in options
        )
    return {
        word: list(dict.fromkeys(text for _, text in sorted(scored, key=lambda pair: -pair[0])))
        for word, scored in found.items()
    }


def _counted(scope: Scope, words: set[str]) -> Counter[str]:
    """How many videos of the library have each word."""
    fields = ("transcript.exact", "title.exact", "description.exact")
    filters: dict[str, Clause] = {
        word: {"bool": {"should": [{"term": {field: word}} for field in fields]}} for word in words
    }
    aggregation = {"words": {"filters": {"filters": filters}}}
    answer = scope.search({"match_all": {}}, size=0, aggs=aggregation, track_total_hits=False)
    buckets = answer["aggregations"]["words"]["buckets"]
    return Counter({word: bucket["doc_count"] for word, bucket in buckets.items()})
