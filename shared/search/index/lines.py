"""The position and the time of each caption line, stored beside the transcript as packed numbers."""

from __future__ import annotations

import base64
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub
from typing import Any


def pack(numbers: Sequence[int]) -> str:
    """Whole numbers from 0 to 2^31-1 as base64 of their compressed differences.

    Lines follow each other evenly, so the differences compress well.
    """
    steps = array("i", map(sub, numbers, [0, *numbers]))
    return base64.b64encode(zlib.compress(steps.tobytes(), 1)).decode()


def unpack(packed: str) -> list[int]:
    """The inverse of :func:`pack`."""
    steps = array("i")
    steps.frombytes(zlib.decompress(base64.b64decode(packed)))
    return list(accumulate(steps))


@dataclass(frozen=True, slots=True)
class LineIndex:
    """The lines of a transcript: ``offsets`` in characters of the whole text, ``starts`` in milliseconds."""

    offsets: list[int]
    starts: list[int]

    @classmethod
    def from_source(cls, source: Mapping[str, Any]) -> LineIndex | None:
        """Of a document of the index; None if the video has no captions."""
        if "line_offsets" not in source:
            return None
        return cls(unpack(source["line_offsets"]), unpack(source["line_starts"]))

    def at(self, offset: int) -> int:
        """The number of the line that contains the character at ``offset``."""
        return max(bisect_right(self.offsets, offset) - 1, 0)

    def from_second(self, second: int) -> int:
        """The number of the first line that begins at this second or later; else the last one."""
        return min(bisect_left(self.starts, second * 1000), len(self.starts) - 1)

    def at_time(self, second: float) -> int:
        """The number of the last line that begins at this second or earlier; else the first one."""
        return max(bisect_right(self.starts, round(second * 1000)) - 1, 0)
