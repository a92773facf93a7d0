"""Transcripts are stored compressed, complete, and never larger than a Firestore document."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Permanent
from shared.transcripts.transcript import MAXIMUM_STORED_BYTES, Line, Lines, pack_lines, unpack_lines

MILLISECONDS = st.integers(0, 2 * 10**9)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(MILLISECONDS, MILLISECONDS, TEXT)))
def test_packed_lines_can_be_unpacked(rows: list[tuple[int, int, str]]) -> None:
    lines = Lines([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    assert unpack_lines(pack_lines(lines)) == lines
    assert Lines.from_rows(lines) == lines
    assert len(lines) == len(list(lines)) == len(rows)


def test_lines_that_earlier_versions_stored_can_be_unpacked() -> None:
    """They were packed with ISA-L, whose output is zlib's format with other bytes."""
    stored = (
        b"x^\x8b\x8e6\xd01650\xd01426153\x8f\xd5\x89\x06s\x8d\x0c@b\xb1:\xd1J\xe5\x19\x89%\n\x99\xc5\n"
        b"\xc5\x89\x99)J:Jy\x87\x97T\x94(<\xd91\xed\xf9\xd4\x1e%\x1d\xa5\x92\x8cT\x85\xd4\xbc\x14"
        b"\xa5\xd8X\x00\xf4\xe2\x17P"
    )
    texts = ["what is said", "näxt 世界", "the end"]
    assert unpack_lines(stored) == Lines([0, 3500, 1234567], [3500, 2000, 1], texts)


def test_times_are_whole_milliseconds_within_bounds() -> None:
    rows = [Line(-1.0, 1.2346, "a"), Line(1e12, 0.0004, "b"), Line(math.nan, math.inf, "c")]
    lines = Lines.from_rows(rows)
    assert (lines.starts, lines.durations) == ([0, 2 * 10**9, 0], [1235, 0, 2 * 10**9])


def test_the_longest_known_transcript_fits_three_times() -> None:
    """9,213 lines with 55,285 random words, which compress worse than real ones."""
    choose = random.Random(1)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    lines = Lines.from_rows(Line(i * 2.6, 2.6, " ".join(choose.choices(words, k=6))) for i in range(9213))
    assert len(pack_lines(lines)) < MAXIMUM_STORED_BYTES / 3


def test_a_transcript_that_is_too_long_is_refused_with_its_number_of_lines() -> None:
    choose = random.Random(1)
    lines = Lines.from_rows(Line(float(i), 1.0, choose.randbytes(600).hex()) for i in range(2000))
    with pytest.raises(Permanent, match="2,000 lines"):
        pack_lines(lines)
