"""Transcripts as they are stored: small, whole, and never more than a document holds."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import transcripts
from shared.errors import Permanent
from shared.transcripts import MAXIMUM_STORED_BYTES, Line, Lines, pack_lines, unpack_lines

MILLISECONDS = st.integers(0, 2 * 10**9)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(MILLISECONDS, MILLISECONDS, TEXT)))
def test_lines_come_back(rows: list[tuple[int, int, str]]) -> None:
    lines = Lines([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])
    assert unpack_lines(pack_lines(lines)) == lines
    assert Lines.of_rows(lines) == lines
    assert len(lines) == len(list(lines)) == len(rows)


def test_lines_stored_by_earlier_versions_come_back() -> None:
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
    lines = Lines.of_rows(rows)
    assert (lines.starts, lines.durations) == ([0, 2 * 10**9, 0], [1235, 0, 2 * 10**9])


def test_the_longest_real_transcript_fits_many_times() -> None:
    """9,213 lines, 55,285 words; of words that compress badly."""
    choose = random.Random(1)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    lines = Lines.of_rows(Line(i * 2.6, 2.6, " ".join(choose.choices(words, k=6))) for i in range(9213))
    assert len(pack_lines(lines)) < MAXIMUM_STORED_BYTES / 3


def test_what_no_document_holds_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAXIMUM_STORED_BYTES", 100)
    choose = random.Random(1)
    lines = Lines.of_rows(Line(float(i), 1.0, str(choose.random())) for i in range(1000))
    with pytest.raises(Permanent, match="1,000 lines"):
        pack_lines(lines)
