"""Transcripts as they are stored: small, whole, and never more than a document holds."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import transcripts
from shared.errors import Permanent
from shared.transcripts import MAXIMUM_STORED_BYTES, Line, pack_lines, unpack_lines

SECONDS = st.floats(0, 1e6, allow_nan=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.builds(Line, SECONDS, SECONDS, TEXT)).map(tuple))
def test_lines_come_back(lines: tuple[Line, ...]) -> None:
    assert unpack_lines(pack_lines(lines)) == lines


def test_the_longest_real_transcript_fits_many_times() -> None:
    """9,213 lines, 55,285 words; of words that compress badly."""
    choose = random.Random(1)
    words = ["".join(choose.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(5000)]
    lines = tuple(Line(i * 2.6, 2.6, " ".join(choose.choices(words, k=6))) for i in range(9213))
    assert len(pack_lines(lines)) < MAXIMUM_STORED_BYTES / 3


def test_what_no_document_holds_is_refused_with_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "MAXIMUM_STORED_BYTES", 100)
    choose = random.Random(1)
    lines = tuple(Line(float(i), 1.0, str(choose.random())) for i in range(1000))
    with pytest.raises(Permanent, match="1,000 lines"):
        pack_lines(lines)
