"""A transcript: its lines, language and kind, and the compressed form it is stored in."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from shared.errors import Permanent

#: Firestore takes 1 MiB a document, names and other fields included
#: (https://firebase.google.com/docs/firestore/quotas).
MAXIMUM_STORED_BYTES = 1_000_000
#: Seconds: three weeks, which is beyond any video, and below what the index takes in milliseconds.
_LONGEST = 2_000_000.0


class Line(NamedTuple):
    """One caption line: seconds from the beginning of the video, seconds shown, and the text."""

    start: float
    duration: float
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Caption lines, column by column: there are hundreds a video, and most work is done on all at once.

    ``starts``, ``durations``: in whole milliseconds, as YouTube has them.
    """

    starts: Sequence[int] = field(default_factory=list)
    durations: Sequence[int] = field(default_factory=list)
    texts: Sequence[str] = field(default_factory=list)

    @classmethod
    def of_rows(cls, rows: Iterable[Line]) -> Lines:
        rows = list(rows)
        return cls(
            [_milliseconds(line.start) for line in rows],
            [_milliseconds(line.duration) for line in rows],
            [line.text for line in rows],
        )

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Line]:
        for start, duration, text in zip(self.starts, self.durations, self.texts, strict=True):
            yield Line(start / 1000, duration / 1000, text)


def _milliseconds(seconds: float) -> int:
    """Within what the index takes, whatever was said; no number at all is 0."""
    return round(1000 * min(max(0.0, seconds), _LONGEST))


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. ``language``: BCP 47 code of the track; ``generated``: by speech recognition."""

    language: str
    language_name: str
    generated: bool
    lines: Lines


def pack_lines(lines: Lines) -> bytes:
    """Lines as compressed JSON: ``[starts, durations, texts]``.

    Raises:
        Permanent: more than a Firestore document takes (some sixty hours of speech).
    """
    columns = [lines.starts, lines.durations, lines.texts]
    packed = zlib.compress(orjson.dumps(columns), 1)
    if len(packed) > MAXIMUM_STORED_BYTES:
        raise Permanent(f"The transcript is too long to store ({len(lines):,} lines).")
    return packed


def unpack_lines(packed: bytes) -> Lines:
    """The inverse of :func:`pack_lines`."""
    return Lines(*orjson.loads(zlib.decompress(packed)))
