"""A transcript: its lines, language and kind, and the compressed form it is stored in."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from itertools import starmap
from typing import NamedTuple

from shared.errors import Permanent

#: Firestore takes 1 MiB a document, names and other fields included
#: (https://firebase.google.com/docs/firestore/quotas).
MAXIMUM_STORED_BYTES = 1_000_000


class Line(NamedTuple):
    """One caption line: seconds from the beginning of the video, seconds shown, and the text.

    A tuple, because there are hundreds a video: made several times as quickly as a dataclass.
    """

    start: float
    duration: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. ``language``: BCP 47 code of the track; ``generated``: by speech recognition."""

    language: str
    language_name: str
    generated: bool
    lines: tuple[Line, ...]


def pack_lines(lines: tuple[Line, ...]) -> bytes:
    """Lines as compressed JSON: ``[[start, duration, text], …]``.

    Raises:
        Permanent: more than a Firestore document takes (some sixty hours of speech).
    """
    packed = zlib.compress(json.dumps(lines, ensure_ascii=False, separators=(",", ":")).encode(), 3)
    if len(packed) > MAXIMUM_STORED_BYTES:
        raise Permanent(f"The transcript is too long to store ({len(lines):,} lines).")
    return packed


def unpack_lines(packed: bytes) -> tuple[Line, ...]:
    """The inverse of :func:`pack_lines`."""
    return tuple(starmap(Line, json.loads(zlib.decompress(packed))))
