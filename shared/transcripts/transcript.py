"""A transcript: its caption lines, and the compressed form in which they are stored."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import orjson

from shared.errors import Permanent

#: What YouTube can have answered when it was asked for a transcript.
OutcomeKind = Literal["transcript", "no_transcript", "unavailable"]
#: Firestore takes 1 MiB a document, names and other fields included
#: (https://firebase.google.com/docs/firestore/quotas).
MAXIMUM_STORED_BYTES = 1_000_000
#: Seconds: three weeks. Longer than any video, and in milliseconds still an integer of the search index.
_LONGEST = 2_000_000.0


class Line(NamedTuple):
    """One caption line. ``start`` and ``duration`` in seconds; ``start`` counts from the beginning."""

    start: float
    duration: float
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Caption lines, stored by column, because most work is done on one column of all lines.

    ``starts`` and ``durations`` are whole milliseconds, as in YouTube's answer.
    """

    starts: Sequence[int] = field(default_factory=list)
    durations: Sequence[int] = field(default_factory=list)
    texts: Sequence[str] = field(default_factory=list)

    @classmethod
    def from_rows(cls, rows: Iterable[Line]) -> Lines:
        rows = list(rows)
        return cls(
            milliseconds(line.start for line in rows),
            milliseconds(line.duration for line in rows),
            [line.text for line in rows],
        )

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Line]:
        for start, duration, text in zip(self.starts, self.durations, self.texts, strict=True):
            yield Line(start / 1000, duration / 1000, text)


def milliseconds(seconds: Iterable[float]) -> list[int]:
    """Whole milliseconds, limited to what the search index takes. Not-a-number becomes 0."""
    return [round(1000 * min(max(0.0, each), _LONGEST)) for each in seconds]


@dataclass(frozen=True, slots=True)
class Transcript:
    """The captions of a video. ``language``: the BCP 47 code. ``generated``: by speech recognition.

    ``choice``: which rule chose the language (:data:`shared.youtube.tracks.Choice`).
    """

    language: str
    language_name: str
    generated: bool
    lines: Lines
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """YouTube's answer about a video: its transcript, or the reason why there is none.

    With a transcript, ``reason`` says why it is not of the best track; it is empty if it is. ``is_stopgap``:
    it is not of the best language, because the captions of that could not be had. ``restricted``:
    the video is there, but not for us: because of our country, its age limit, or for members only.
    ``not_yet``: there will be something to watch later, such as a premiere. ``expected_at``: from when on,
    if YouTube says so.
    """

    kind: OutcomeKind
    transcript: Transcript | None = None
    reason: str = ""
    restricted: bool = False
    not_yet: bool = False
    expected_at: datetime | None = None
    is_stopgap: bool = False


def pack_lines(lines: Lines) -> bytes:
    """Lines as compressed JSON: ``[starts, durations, texts]``.

    Raises:
        Permanent: more than fits into a Firestore document (about sixty hours of speech).
    """
    # Level 1: higher levels take several times as long and save a tenth.
    packed = zlib.compress(orjson.dumps([lines.starts, lines.durations, lines.texts]), 1)
    if len(packed) > MAXIMUM_STORED_BYTES:
        raise Permanent(f"The transcript is too long to store ({len(lines):,} lines).")
    return packed


def unpack_lines(packed: bytes) -> Lines:
    """The inverse of :func:`pack_lines`."""
    return Lines(*orjson.loads(zlib.decompress(packed)))
