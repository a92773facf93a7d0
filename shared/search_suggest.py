"""Completions while typing, and another spelling when nothing was found: both from the caller's library only.

Elasticsearch's suggesters know the words of the whole index, so of other people's libraries too. What
they propose is therefore counted within the library first, and only what is there is passed on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from shared import moments
from shared.analysis import DEFAULT, MATCH_BEGINS, MATCH_ENDS, clean, fold
from shared.errors import Permanent
from shared.query import Phrase, Query, Word
from shared.search_query import Clause
from shared.search_scope import Scope, analyzers_within, unknown_index

#: Suggestions of each kind; and of all.
_EACH, _ALL = 4, 10
#: Characters of what is being typed.
_LONGEST = 100
#: Words of a query that are looked up when nothing was found.
_WORDS = 8
_CANDIDATES = 10
#: Transcripts that are read for phrases.
_TRANSCRIPTS = 10
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
        found = [*_titles(scope, beginning), *_channels(scope, beginning), *_phrases(scope, beginning)]
    except Permanent as error:
        if unknown_index(error):
            return []
        raise
    unique = {fold(text).casefold(): text for text in reversed(found)}
    return list(reversed(unique.values()))[:_ALL]


def _titles(scope: Scope, beginning: str) -> list[str]:
    query = {"match_bool_prefix": {"title.exact": {"query": beginning, "operator": "and"}}}
    found = scope.search(query, size=_EACH, source=["title", "analyzer"], track_total_hits=False)
    sources = [hit["_source"] for hit in found["hits"]["hits"]]
    return [source["title"][source.get("analyzer", DEFAULT)] for source in sources]


def _channels(scope: Scope, beginning: str) -> list[str]:
    query = {"match_phrase_prefix": {"channel_words": beginning}}
    channels = {"channels": {"terms": {"field": "channel", "size": _EACH}}}
    found = scope.search(query, size=0, aggs=channels, track_total_hits=False)
    return [bucket["key"] for bucket in found["aggregations"]["channels"]["buckets"]]


def _phrases(scope: Scope, beginning: str) -> list[str]:
    """What is said after the typed words, most often first; said once is no frequent phrase."""
    query = {"match_phrase_prefix": {"transcript.exact": {"query": beginning, "max_expansions": 50}}}
    fields = {
        f"transcript.{name}": {"matched_fields": [f"transcript.{name}", "transcript.exact"]}
        for name in {*analyzers_within(scope), DEFAULT}
    }
    highlight = {
        "type": "unified",
        "number_of_fragments": 5,
        "fragment_size": 100,
        "boundary_scanner": "word",
        "pre_tags": [MATCH_BEGINS],
        "post_tags": [MATCH_ENDS],
        "fields": fields,
    }
    found = scope.search(
        query, size=_TRANSCRIPTS, source=False, highlight=highlight, track_total_hits=False, timeout="1s"
    )
    counts: Counter[str] = Counter()
    for hit in found["hits"]["hits"]:
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


def did_you_mean(scope: Scope, q: str, asked: Query, count: Callable[[str], int]) -> str | None:
    """The query with words replaced by similar ones of the library, or None.

    ``count`` says how many hits a query has; what is proposed has at least one.
    """
    words = _words_of(asked)
    if not words:
        return None
    candidates = _candidates(scope, words)
    here = _counted(scope, {*words, *(each for found in candidates.values() for each in found)})
    corrected = q
    for word in words:
        if here[word]:
            continue
        better = next((each for each in candidates.get(word, []) if here[each]), None)
        if better:
            pattern = rf"(?<!\w){re.escape(word)}(?!\w)"
            # The folded query has the same characters at the same places.
            if place := re.search(pattern, fold(corrected).lower()):
                corrected = corrected[: place.start()] + better + corrected[place.end() :]
    return corrected if corrected != q and count(corrected) else None


def _words_of(asked: Query) -> list[str]:
    texts = [
        term.text for term in asked.terms() if isinstance(term, Word | Phrase) and term.field != "channel"
    ]
    tokens = [token for text in texts for token in _TOKEN.findall(fold(text).lower()) if len(token) > 2]
    return list(dict.fromkeys(tokens))[:_WORDS]


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
