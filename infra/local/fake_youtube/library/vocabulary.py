"""An invented vocabulary whose words have frequencies like those of a real language (Zipf's law).

``table()`` has 65,536 entries, so that 16-bit random numbers become text quickly. The share of the k-th
most frequent word in it is about proportional to 1/(k + 2). The rarer two thirds of the vocabulary are
not in it; topics and phrases of videos use them.
"""

from __future__ import annotations

import hashlib
import sys
from array import array
from functools import cache


def _list(text: str) -> list[str]:
    return text.split()


#: The most frequent English words. They also bring apostrophes and very common pairs of words.
_COMMON = _list(
    """the and to of a that in you I it is so this was we they have for but on with what be not are
    do it's like know about there just one can all if that's think or my when then people going as at
    don't because really get from how time here would you're very"""
)
_ONSETS = _list(
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sh sl sp st str t th tr v w z"
)
_NUCLEI = _list("a e i o u ai ea ee ie oa oo ou")
_CODAS = _list("n r l s t m nd nt st ck sh rd lt")
_SIZE = 20_000
#: So many of the words occur in running speech.
_SPOKEN = 6_000
#: Words from this rank on are rare enough for phrases and topics.
_RARE_FROM = 400


def _word(rank: int) -> str:
    """An invented word of one to three syllables. Frequent words are short."""
    numbers = hashlib.shake_256(f"word/{rank}".encode()).digest(7)
    syllables = 1 + (rank > 150) + (rank > 3_000)
    parts = []
    for k in range(syllables):
        parts.append(_ONSETS[numbers[2 * k] % len(_ONSETS)])
        parts.append(_NUCLEI[numbers[2 * k + 1] % (5 if k else len(_NUCLEI))])
    return "".join(parts) + _CODAS[numbers[6] % len(_CODAS)]


@cache
def words() -> tuple[str, ...]:
    """The vocabulary without repetitions, the most frequent word first."""
    found = dict.fromkeys(_COMMON)
    rank = 0
    while len(found) < _SIZE:
        word = _word(len(found))
        if word in found:  # The same syllables came before, so add another word to them.
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
    """`count` pseudo-random 16-bit numbers, which depend only on the label."""
    values = array("H", hashlib.shake_256(label.encode()).digest(2 * count))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def speech(label: str, count: int) -> list[str]:
    """`count` words of running speech, which depend only on the label."""
    return list(map(table().__getitem__, numbers(label, count)))


def rare_words(label: str, count: int) -> list[str]:
    """`count` rare words, drawn evenly from 2**14 and depending only on the label."""
    vocabulary = words()
    return [vocabulary[_RARE_FROM + number % 16_384] for number in numbers(label, count)]
