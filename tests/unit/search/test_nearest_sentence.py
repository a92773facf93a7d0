"""Which sentence of a passage is marked, and at what cost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.nearest_sentence import MarkedPassage, mark, sentences


class _Letters:
    """A model to which texts with the same letters mean the same."""

    name, dimensions, languages = "letters", 26, frozenset[str]()

    def __init__(self) -> None:
        self.texts: list[str] = []

    def passages(self, texts: Sequence[str]) -> list[bytes]:
        self.texts += texts
        return [bytes(min(text.lower().count(chr(97 + at)), 127) for at in range(26)) for text in texts]

    def query(self, text: str) -> bytes:
        return self.passages([text])[0]


def passage(text: str) -> MarkedPassage:
    return MarkedPassage("v", 0.0, 1.0, 0, "good", text, [])


def test_the_nearest_sentence_is_marked() -> None:
    one, model = passage("Bees hum. The zoo is shut! Come tomorrow?"), _Letters()
    mark(model, model.query("zoo shut"), [[one]])
    assert [part["text"] for part in one.segments if part["match"]] == ["The zoo is shut!"]
    assert "".join(part["text"] for part in one.segments) == one.text


def test_the_cost_is_bounded_and_the_best_passages_come_first() -> None:
    hits = [[passage("Aa b. " * 6) for _ in range(3)] for _ in range(10)]
    model = _Letters()
    mark(model, model.query("a"), hits)
    assert len(model.texts) <= 1 + 24
    assert [[each.marked is not None for each in hit] for hit in hits[:5]] == [[True, False, False]] * 4 + [
        [False] * 3
    ]


def test_nothing_to_mark() -> None:
    empty, model = passage(""), _Letters()
    mark(model, model.query("a"), [[empty], []])
    assert empty.marked is None


@pytest.mark.parametrize(
    ("text", "breaks", "found"),
    [
        ("One. Two! Three", [], ["One.", "Two!", "Three"]),
        ("機械学習。それは何か。", [], ["機械学習。", "それは何か。"]),
        ("x" * 130 + " " + "y" * 130, [131], ["x" * 130, "y" * 130]),
        ("x" * 1000, [], ["x" * 1000]),
    ],
)
def test_sentences(text: str, breaks: list[int], found: list[str]) -> None:
    assert [text[begin:end] for begin, end in sentences(text, breaks)] == found


@given(st.text(max_size=600), st.lists(st.integers(0, 600)))
def test_sentences_are_in_order_and_have_all_text(text: str, breaks: list[int]) -> None:
    spans = sentences(text, sorted(breaks))
    assert all(begin < end for begin, end in spans)
    assert [each for span in spans for each in span] == sorted(each for span in spans for each in span)
    assert "".join("".join(text[begin:end].split()) for begin, end in spans) == "".join(text.split())
