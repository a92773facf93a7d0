"""Another spelling of a query that found nothing or little.

Elasticsearch's suggester knows the words of the whole index, so also those of other people's libraries.
Its proposals are counted within the caller's library, and only those that occur there are shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from shared.search.compiler import EVERYTHING, NOTHING, Clause
from shared.search.index.folding import fold
from shared.search.language import MAXIMUM_FUZZY
from shared.search.query import Phrase, Query, Word
from shared.search.scope import Scope

#: The texts whose words are counted. Descriptions have the titles of chapters.
_SPELLED = ("title", "description", "transcript")
#: So many hits are few. Then another spelling is proposed if it has _CLEARLY times as many.
FEW = 2
_CLEARLY = 10
#: Words of a query for which similar ones are searched, and similar words of each.
_WORDS, _CANDIDATES = 8, 10
#: Letters that a word needs to count as a possible mistake although it was found.
_LONG = 5

_TOKEN = re.compile(r"\w+")
_NUMBER = re.compile(r"\d")


def did_you_mean(scope: Scope, q: str, query: Query, found: int, count: Callable[[str], int]) -> str | None:
    """The query with words replaced by similar words of the library, or None.

    Args:
        found: the hits of the query as it is.
        count: the number of hits of another query. The proposed one has at least one hit, and many more
            than the original one.

    Raises:
        SearchRefused: Elasticsearch does not accept the words.
        Transient: Elasticsearch does not answer.
    """
    words = _words(query) if found == 0 else _doubtful_words(query)
    if not words:
        return None
    candidates = _candidates(scope, words)
    counts = _count_each(scope, {*words, *(each for similar in candidates.values() for each in similar)})
    corrected = q
    for word in words:
        if counts[word] and not found:
            # The word occurs in the library, so another word of the query is the mistake.
            continue
        enough = max(counts[word] * _CLEARLY, 1)
        better = next((each for each in candidates.get(word, []) if counts[each] >= enough), None)
        if better:
            corrected = _replaced(corrected, word, better)
    return corrected if corrected != q and count(corrected) >= max(found * _CLEARLY, 1) else None


def _replaced(q: str, word: str, better: str) -> str:
    """The query with ``better`` in place of the first word that is folded to ``word``."""
    place = next((each for each in _TOKEN.finditer(q) if fold(each[0]) == word), None)
    return q if place is None else q[: place.start()] + better + q[place.end() :]


def _words(query: Query) -> list[str]:
    terms = (term for term in query.terms() if isinstance(term, Word | Phrase))
    return _tokens(term.text for term in terms if term.field != "channel")


def _doubtful_words(query: Query) -> list[str]:
    """Words that may be mistakes although they were found.

    Quoted words are meant as they are. Short words have too many similar ones.
    """
    terms = (term for term in query.terms() if isinstance(term, Word))
    tokens = _tokens(term.text for term in terms if term.field != "channel")
    return [token for token in tokens if len(token) >= _LONG]


def _tokens(texts: Iterable[str]) -> list[str]:
    tokens = [token for text in texts for token in _TOKEN.findall(fold(text))]
    # The cost of searching similar words grows with the length of the word. A number is no misspelled other.
    words = (each for each in tokens if 2 < len(each) <= MAXIMUM_FUZZY and not _NUMBER.search(each))
    return list(dict.fromkeys(words))[:_WORDS]


def _candidates(scope: Scope, words: Sequence[str]) -> dict[str, list[str]]:
    """Similar words of the whole index for each word, the most similar first."""
    suggest: dict[str, Any] = {}
    for number, word in enumerate(words):
        for text in _SPELLED:
            term = {
                "field": text,
                "size": _CANDIDATES,
                "suggest_mode": "always",
                "min_word_length": 3,
                "prefix_length": 1,
            }
            suggest[f"{number}-{text}"] = {"text": word, "term": term}
    answer = scope.search(NOTHING, size=0, suggest=suggest)
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


def _count_each(scope: Scope, words: set[str]) -> Counter[str]:
    """The number of videos of the library in which each word occurs."""
    filters: dict[str, Clause] = {
        word: {"bool": {"should": [{"term": {text: word}} for text in _SPELLED]}} for word in words
    }
    aggregation = {"words": {"filters": {"filters": filters}}}
    answer = scope.search(EVERYTHING, size=0, aggs=aggregation, track_total_hits=False)
    buckets = answer["aggregations"]["words"]["buckets"]
    return Counter({word: bucket["doc_count"] for word, bucket in buckets.items()})
