"""Where each caption line begins, packed small beside the text it belongs to."""

from __future__ import annotations

import base64
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import sub


def pack(numbers: Sequence[int]) -> str:
    """Whole numbers below 2^32 as base64 of compressed differences (lines rise evenly, so they pack well)."""
    steps = array("i", map(sub, numbers, [0, *numbers]))
    return base64.b64encode(zlib.compress(steps.tobytes(), 1)).decode()


def unpack(packed: str) -> list[int]:
    """The inverse of :func:`pack`."""
    steps = array("i")
    steps.frombytes(zlib.decompress(base64.b64decode(packed)))
    numbers, sum_ = [], 0
    for step in steps:
        sum_ += step
        numbers.append(sum_)
    return numbers


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a transcript: ``offsets`` in characters of the whole text, ``starts`` in milliseconds."""

    offsets: list[int]
    starts: list[int]

    def at(self, offset: int) -> int:
        """The number of the line that holds the character at ``offset``."""
        return max(bisect_right(self.offsets, offset) - 1, 0)

    def second(self, line: int) -> int:
        """Whole second, rounded down, at which the line begins."""
        return self.starts[line] // 1000
