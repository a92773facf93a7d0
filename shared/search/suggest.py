"""Completions while a person types: titles, channels and frequent phrases of the caller's library."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, TypedDict

from msgspec import Meta, Struct

from shared.search.compiler import Clause
from shared.search.errors import SearchRefused
from shared.search.index.analysis import clean, is_spaceless
from shared.search.index.folding import fold, fold_in_place
from shared.search.scope import Scope


class SuggestAsked(Struct):
    q: Annotated[str, Meta(description="What was typed so far.", examples=["bla"])] = ""


class Suggestions(TypedDict):
    """Titles, channels and frequent phrases of the library."""

    suggestions: list[str]


#: Suggestions of each kind, and of all kinds.
_EACH, _ALL = 4, 10
#: Characters of the typed text that are read.
_LONGEST = 100
#: Transcripts that are read for phrases, and characters of each (some twenty minutes).
_TRANSCRIPTS, _CHARACTERS = 5, 20_000
#: Words that a suggested phrase has after the typed ones.
_MORE_WORDS = 2

_TOKEN = re.compile(r"\w+(?:'\w+)*")
#: A query, and the rest of its request.
_Request = tuple[Clause, dict[str, Any]]


def suggestions(scope: Scope, typed: str) -> list[str]:
    """Texts of the library that continue the typed text.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    beginning = clean(typed[:_LONGEST]).lower()
    if not scope.playlists or len(beginning) < (2 if beginning.isascii() else 1):
        return []
    try:
        requests = [_titles(beginning), _channels(beginning), _phrases(beginning)]
        titles, channels, said = scope.search_all(requests)
    except SearchRefused as error:
        if error.no_index:
            return []
        raise
    found = [
        *(hit["_source"]["title"] for hit in titles["hits"]["hits"]),
        *(bucket["key"] for bucket in channels["aggregations"]["channels"]["buckets"]),
        *_frequent(said, beginning),
    ]
    # Of texts that differ only in case and accents, the first one stays.
    unique = {fold(text): text for text in reversed(found)}
    return list(reversed(unique.values()))[:_ALL]


def _titles(beginning: str) -> _Request:
    query = {"match_bool_prefix": {"title": {"query": beginning, "operator": "and"}}}
    return query, {"size": _EACH, "_source": ["title"], "track_total_hits": False}


def _channels(beginning: str) -> _Request:
    query = {"match_phrase_prefix": {"channel_words": beginning}}
    channels = {"channels": {"terms": {"field": "channel", "size": _EACH}}}
    return query, {"size": 0, "aggs": channels, "track_total_hits": False}


def _phrases(beginning: str) -> _Request:
    said = {"match_phrase_prefix": {"transcript": {"query": beginning, "max_expansions": 50}}}
    # Without scores Elasticsearch stops at the first transcripts that match, which is quick.
    query = {"constant_score": {"filter": said}}
    return query, {
        "size": _TRANSCRIPTS,
        "_source": ["transcript"],
        "track_total_hits": False,
        "timeout": "1s",
    }


def _frequent(answer: Mapping[str, Any], beginning: str) -> list[str]:
    """Phrases that were said more than once and begin with the typed words, the most frequent first."""
    counts: Counter[str] = Counter()
    pattern = _pattern(beginning)
    for hit in answer["hits"]["hits"]:
        counts.update(_continuations(hit["_source"]["transcript"][:_CHARACTERS], pattern))
    often = [(text, count) for text, count in counts.items() if count > 1 and fold(text) != fold(beginning)]
    # Of equally frequent phrases the longer one comes first.
    often.sort(key=lambda pair: (-pair[1], -len(pair[0])))
    return [text for text, _ in often[:_EACH]]


def _pattern(beginning: str) -> re.Pattern[str]:
    """The typed words in a text that :func:`fold_in_place` has made. The last one may go on."""
    words = r"\W+".join(map(re.escape, fold_in_place(beginning).split()))
    # In scripts without spaces a word may begin anywhere.
    begins = "" if is_spaceless(beginning) else r"(?<!\w)"
    return re.compile(f"{begins}{words}" if words else "(?!)")


def _continuations(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    """Each place that matches, and the same with one more word, and with two.

    Elasticsearch's highlighter would analyze the whole transcript for this, which takes much longer.
    """
    for place in pattern.finditer(fold_in_place(text)):
        words = (word.end() for word in _TOKEN.finditer(text, place.start()) if word.end() >= place.end())
        for end in islice(words, _MORE_WORDS + 1):
            yield text[place.start() : end].casefold()
