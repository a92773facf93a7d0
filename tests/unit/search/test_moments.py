"""Marks of the highlighter become moments and snippets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.analysis import MATCH_BEGINS as B
from shared.search.index.analysis import MATCH_ENDS as E
from shared.search.index.lines import LineIndex
from shared.search.language import parse
from shared.search.moments import Moment, best, find, satisfying, unmark
from shared.search.snippets import around, plain, segments


def found(marked: str, q: str, every: int = 20) -> list[str]:
    """The moments of a text that is marked with [ ]. Its caption lines have ``every`` characters."""
    text, spans = unmark(marked.replace("[", B).replace("]", E))
    offsets = list(range(0, max(len(text), 1), every))
    lines = LineIndex(offsets, [offset * 100 for offset in offsets])
    return [text[moment.begin : moment.end] for moment in find(text, spans, lines, parse(q))]


@pytest.mark.parametrize(
    ("title", "q", "satisfies"),
    [
        ("[Knots] and ropes", "knots", True),
        ("[Knots] and [ropes]", "knots ropes", True),
        ("[Knots] and ropes", "knots sails", False),
        ("[Knots] and ropes", "knots OR sails", True),
        ("[Knots] and ropes", "knots -sails", True),
        ("[Knots] and ropes", "chapter:knots sails", True),
        ("Knots and [ropes]", "chapter:knots ropes", False),
        ("[Knots] and ropes", "title:harbour knots", True),
        ("[Knots]", "?!", False),
    ],
)
def test_the_title_of_a_chapter_has_everything_that_is_asked_for(title: str, q: str, satisfies: bool) -> None:
    text, spans = unmark(title.replace("[", B).replace("]", E))
    assert satisfying([segments(text, spans)], parse(q)) == [satisfies]


FAR = " and so on for a long time" * 12


def test_marks_become_spans() -> None:
    assert unmark(f"a {B}b{E} c {B}d{E}{B}e{E}") == ("a b c de", [(2, 3), (6, 8)])
    assert unmark("plain") == ("plain", [])


def test_a_passage_that_was_said_twice_is_two_moments() -> None:
    assert found(f"[cat food]{FAR} [cat food]", '"cat food"') == ["cat food", "cat food"]


def test_words_near_each_other_are_one_moment() -> None:
    assert found(f"[neural] x [networks]{FAR} [neural]", "neural network") == ["neural x networks"]


def test_a_moment_is_the_shortest_stretch_of_text() -> None:
    assert found("[the] [the] cat in [the] [origin]", "the origin", 1000) == ["the origin"]


def test_words_far_apart_are_one_moment_each() -> None:
    assert found(f"[neural]{FAR} [network]", "neural network") == ["neural", "network"]


def test_a_very_frequent_word_is_no_moment_if_another_word_is_rare() -> None:
    assert found("[the] x y z u v w " * 50 + FAR + " [origin]", "the origin") == ["origin"]


def test_each_word_of_an_or_is_a_moment() -> None:
    assert found(f"[cat]{FAR} [dog]", "cat OR dog") == ["cat", "dog"]


def test_there_is_one_moment_a_line() -> None:
    assert found("[cat] [cat]" + " " * 40 + "[cat]", "cat") == ["cat", "cat"]


def test_words_that_are_searched_in_titles_are_not_needed_in_a_moment() -> None:
    assert found("a [cat]", "title:dog cat") == ["cat"]


def test_the_best_moments_show_each_term_of_the_query() -> None:
    def moment(begin: int, bits: int) -> Moment:
        return Moment(begin, begin + 1, begin, bits, bits.bit_count())

    moments = [*(moment(place, 0b001) for place in range(5)), moment(5, 0b010), moment(6, 0b100)]
    assert [each.begin for each in best(moments, 3)] == [0, 5, 6]
    assert [each.begin for each in best([*moments, moment(7, 0b011)], 2)] == [6, 7]
    assert best(moments, 10) == moments


def test_a_snippet_is_the_sentence() -> None:
    text = "One sentence ends here. " + "Another one speaks of cats and of dogs. " + "Much follows. " * 30
    at = text.index("cats")
    begin, end = around(text, at, at + 4, 60)
    assert text[begin:end] == "Another one speaks of cats and of dogs. Much follows."


def test_a_snippet_without_sentences_ends_at_words() -> None:
    text = "some generated words without any point " * 40
    begin, end = around(text, 700, 709, 120)
    assert text[begin - 1].isspace()
    assert text[end : end + 1].isspace()
    assert 80 <= end - begin <= 260


@given(st.text("ab. 。\n", max_size=900), st.integers(0, 900), st.integers(1, 400))
def test_a_snippet_always_contains_the_match(text: str, begin: int, length: int) -> None:
    begin = min(begin, len(text))
    end = min(begin + length, len(text))
    first, last = around(text, begin, end)
    assert 0 <= first <= begin <= end <= last <= len(text)
    pieces = segments(text, [(begin, end)] if begin < end else [], first, last)
    assert plain(pieces) == text[first:last]
    assert all(piece["text"] for piece in pieces)


def test_a_snippet_of_wide_characters_has_fewer_of_them() -> None:
    text = "泡茶最重要的一步就是等水。" * 60
    first, last = around(text, 400, 401)
    assert first <= 400 < last
    assert last - first <= 120
