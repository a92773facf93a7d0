"""Cleaned and joined text keeps the offsets of its lines."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.analysis import (
    MATCH_BEGINS,
    MATCH_ENDS,
    clean,
    clean_paragraphs,
    join,
)
from shared.search.index.lines import LineIndex, pack, unpack


@given(st.text())
def test_clean_text_is_one_line_in_nfc_that_can_be_encoded(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert cleaned == " ".join(cleaned.split()) == unicodedata.normalize("NFC", cleaned)
    assert not {MATCH_BEGINS, MATCH_ENDS, "\x00"} & set(cleaned)
    assert clean(cleaned) == cleaned


def test_direction_marks_are_removed() -> None:
    assert clean("\u202bשלום\u202c \u200fעולם\u2069") == "שלום עולם"


def test_paragraphs_keep_their_line_breaks() -> None:
    assert clean_paragraphs(" a  b\r\n\n c\ue000 ") == "a b\n\nc"


@given(st.lists(st.text(min_size=1).map(clean).filter(bool), min_size=1))
def test_each_line_begins_at_its_offset(texts: list[str]) -> None:
    whole, offsets = join(texts)
    ends = [*offsets[1:], len(whole)]
    assert [whole[begin:end].strip() for begin, end in zip(offsets, ends, strict=True)] == [
        text.strip() for text in texts
    ]


def test_there_is_no_space_between_lines_of_scripts_without_spaces() -> None:
    assert join(["今天学习机器", "学习", "OK", "go"])[0] == "今天学习机器学习 OK go"
    assert join(["학교에", "가다"])[0] == "학교에 가다"


@given(st.lists(st.integers(0, 2**31 - 1)))
def test_packed_numbers_can_be_unpacked(numbers: list[int]) -> None:
    assert unpack(pack(numbers)) == numbers


def test_numbers_that_earlier_versions_indexed_can_be_unpacked() -> None:
    """They were packed with ISA-L, whose output is zlib's format with other bytes."""
    assert unpack("eF5jYGBg4AURDAwMyYKMDAACbQCD") == [0, 13, 13, 70000]


def test_an_offset_belongs_to_one_line() -> None:
    lines = LineIndex([0, 5, 9], [0, 3999, 7000])
    assert [lines.at(offset) for offset in (0, 4, 5, 8, 9, 100)] == [0, 0, 1, 1, 2, 2]
    assert [lines.from_second(second) for second in (0, 3, 4, 9)] == [0, 1, 2, 2]
