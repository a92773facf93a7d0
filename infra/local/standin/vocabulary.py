"""A generated vocabulary whose words come with Zipf-like frequencies.

``table()`` has 65,536 entries, so that a stream of 16-bit numbers becomes text quickly: the k-th
most frequent word stands in it about in proportion to 1/(k + 2). The rarer two thirds of the
vocabulary are not in it: videos' topics and phrases are drawn from all words.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from functools import cache


def _list(text: str) -> list[str]:
    return text.split()


#: The words that hold speech together; they make apostrophes and very common pairs, too.
_GLUE = _list(
    """the and to of a that in you I it is so this was we they have for but on with what be not are
    do it's like know about there just one can all if that's think or my when then people going as at
    don't because really get from how time here would you're very"""
)
_ONSETS = _list(
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sh sl sp st str t th tr v w z"
)
_NUCLEI = _list("a e i o u ai ea ee ie oa oo ou")
_CODAS = _list("n r l s t m nd nt st ck sh rd lt")
SIZE = 20_000
#: Words of running speech.
_SPOKEN = 6_000
#: Words that are neither glue nor likely to be frequent: phrases and topics are made of them.
RARE_FROM = 400


def _word(rank: int) -> str:
    """One to three syllables: frequent words are short."""
    numbers = hashlib.shake_256(f"word/{rank}".encode()).digest(7)
    syllables = 1 + (rank > 150) + (rank > 3_000)
    parts = []
    for k in range(syllables):
        parts.append(_ONSETS[numbers[2 * k] % len(_ONSETS)])
        parts.append(_NUCLEI[numbers[2 * k + 1] % (5 if k else len(_NUCLEI))])
    return "".join(parts) + _CODAS[numbers[6] % len(_CODAS)]


@cache
def words() -> tuple[str, ...]:
    """All different, the most frequent first."""
    found = dict.fromkeys(_GLUE)
    rank = 0
    while len(found) < SIZE:
        word = _word(len(found))
        if word in found:  # The same syllables again: a longer word instead.
            rank += 1
            word += _word(rank % 150)
        found[word] = None
    return tuple(found)


@cache
def table() -> tuple[str, ...]:
    vocabulary, slots = words(), 65_536
    harmonic = sum(1 / (k + 2) for k in range(_SPOKEN))
    entries: list[str] = []
    for k, word in enumerate(vocabulary[:_SPOKEN]):
        entries.extend([word] * max(1, int(slots / harmonic / (k + 2))))
    entries.extend(vocabulary[: slots - len(entries)])
    return tuple(entries[:slots])


def numbers(label: str, count: int) -> array[int]:
    """`count` 16-bit numbers that depend on the label alone."""
    values = array("H", hashlib.shake_256(label.encode()).digest(2 * count))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def speech(label: str, count: int) -> list[str]:
    """`count` words of running speech that depend on the label alone."""
    return list(map(table().__getitem__, numbers(label, count)))


def rare_words(label: str, count: int) -> list[str]:
    """Words that carry meaning, evenly drawn from 2**14 of them."""
    vocabulary = words()
    return [vocabulary[RARE_FROM + number % 16_384] for number in numbers(label, count)]
