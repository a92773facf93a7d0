"""Cutting transcripts into passages, of speech and of what is none."""

from __future__ import annotations

from itertools import pairwise

import pytest

from shared.meaning.passages import MOST_PASSAGES, WORDS, Passage, cut, embedded_text
from shared.transcripts.transcript import MAXIMUM_STORED_BYTES, Line, Lines

_SENTENCES = (
    "We sailed before the sun was up. Nobody spoke. The wind came from the land, and it smelled of hay."
)


def _lines(*texts: str, seconds: float = 4) -> Lines:
    return Lines.from_rows(Line(number * seconds, seconds, text) for number, text in enumerate(texts))


def _cover(passages: list[Passage], lines: int) -> None:
    """Each line is in a passage, in order, and no line is in two unless it is longer than a passage."""
    assert passages[0].first == 0
    assert passages[-1].last == lines - 1
    for one, two in pairwise(passages):
        assert two.first == one.last + 1 or two.first == two.last == one.last
        assert one.start < two.start
        assert one.start < one.end


def test_captions_without_punctuation_end_with_a_line_at_the_wished_length() -> None:
    passages = cut(_lines(*["and so we went on with the boat that day"] * 60))
    _cover(passages, 60)
    assert {passage.text.split()[0] for passage in passages} == {"and"}
    assert all(0.7 * WORDS <= len(passage.text.split()) <= 1.3 * WORDS for passage in passages)


def test_a_passage_ends_with_a_sentence_if_one_ends_near() -> None:
    lines = [*_SENTENCES.replace(". ", ".\n").split("\n")] * 20
    passages = cut(_lines(*lines))
    _cover(passages, len(lines))
    assert all(passage.text.endswith(".") for passage in passages)
    quoted = cut(
        _lines(*["she went on and on about the harbour and the men", "and then she said “enough!”"] * 30)
    )
    assert all(passage.text.endswith("“enough!”") for passage in quoted)


@pytest.mark.parametrize(
    ("line", "characters"),
    [
        ("今日は台所にある普通の包丁を砥石一本で研いでみます。", (90, 300)),
        ("水刚热的时候没有声音，然后锅底冒出小小的泡。", (90, 300)),
        ("วันนี้เราจะตำพริกแกงด้วยกัน ครูขอให้ทุกคนปิดเครื่องปั่นก่อนนะคะ", (250, 650)),
    ],
)
def test_scripts_without_spaces_are_cut_by_their_characters(line: str, characters: tuple[int, int]) -> None:
    passages = cut(_lines(*[line] * 60))
    _cover(passages, 60)
    assert all(characters[0] <= len(passage.text) <= characters[1] for passage in passages)


def test_a_line_that_is_longer_than_a_passage_becomes_several() -> None:
    for text in (f"{_SENTENCES} " * 30, "a" * 10_000, "漢" * 10_000, "yes " * 5_000):
        passages = cut(_lines("before", text, "after", seconds=600))
        assert len(passages) > 5
        assert max(len(passage.text) for passage in passages) <= 1.5 * 12 * WORDS
        assert 600 <= passages[3].start < passages[4].start < 1200, "the second within the line is estimated"
        assert passages[3].first == passages[3].last == 1


def test_one_word_that_is_repeated_for_ever_is_cut_like_speech() -> None:
    passages = cut(_lines(*["yeah"] * 5_000))
    _cover(passages, 5_000)
    assert len(passages) == 50


def test_what_is_no_speech_is_in_no_passage() -> None:
    assert cut(_lines()) == []
    assert cut(_lines("", " ", "[Music]", "♪♪♪", "-- . --", "[Applause] >>", "【拍手】", "\x00\ufffd")) == []
    passages = cut(_lines("[Music]", "♪ row the boat ♪", ">> [laughs] gently", "[Music]"))
    assert [(passage.first, passage.last, passage.text) for passage in passages] == [
        (1, 2, "row the boat gently")
    ]


def test_the_last_passages_share_what_is_left() -> None:
    lengths = [
        len(passage.text.split())
        for passage in cut(_lines(*["ten words are in this line of a long talk"] * 14))
    ]
    assert lengths == [70, 70]


def test_a_short_transcript_is_one_passage_with_its_seconds() -> None:
    assert cut(_lines("Hello.", "Good bye.")) == [Passage(0, 1, 0.0, 8.0, "Hello. Good bye.")]


def test_the_count_of_passages_is_bounded_and_their_vectors_fit_into_a_document() -> None:
    half_a_day = cut(_lines(*["ten words are in this line of a long talk"] * 10_800))
    assert 1000 < len(half_a_day) <= MOST_PASSAGES
    for lines in (["one two three four five six seven eight nine ten"] * 100_000, ["word " * 600_000]):
        assert len(cut(_lines(*lines))) <= MOST_PASSAGES
    assert MOST_PASSAGES * 512 < 0.8 * MAXIMUM_STORED_BYTES


def test_the_title_stands_in_front_of_what_is_embedded() -> None:
    passage = Passage(0, 1, 0.0, 8.0, "Hello.")
    assert embedded_text("Greetings", passage) == "Greetings. Hello."
    assert embedded_text("", passage) == "Hello."
