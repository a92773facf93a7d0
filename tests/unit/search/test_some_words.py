"""Which words of a query may be missing, and which places have most of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.search.index.lines import LineIndex
from shared.search.language import parse
from shared.search.moments import WIDE, find_some
from shared.search.query import Term, Word
from shared.search.some_words import demanding, loosen


@pytest.mark.parametrize(
    ("q", "required", "optional", "held"),
    [
        ("sea moon", (), ["sea", "moon"], 0),
        ("sea moon sea", (), ["sea", "moon"], 0),
        ("sea (moon sun)", (), ["sea", "moon", "sun"], 0),
        ("10:30 train", (), ["10", "30", "train"], 0),
        ('sea moon "two words" -x language:en title:y bowl* tide~', (), ["sea", "moon"], 6),
        ("sea moon sun", ("Moon",), ["sea", "sun"], 1),
        ("sea moon", ("sun",), ["sea", "moon"], 1),
        ("Étude moon", ("etude",), ["moon"], 1),
    ],
)
def test_plain_words_become_optional(
    q: str, required: tuple[str, ...], optional: list[str], held: int
) -> None:
    loose = loosen(demanding(parse(q), required), required)
    assert loose is not None
    assert ([word.text for word in loose.words], len(loose.held)) == (optional, held)


@pytest.mark.parametrize(
    ("q", "required"),
    [
        *(("", ()), ("sea", ()), ("sea sea -sun", ("sea",)), ("sea OR moon", ()), ('"sea moon"', ())),
        *((("sea language:en"), ()), ("sea moon", ("sea", "MOON")), ("title:sea title:moon", ()), ("?!", ())),
    ],
)
def test_there_is_nothing_to_leave_out(q: str, required: tuple[str, ...]) -> None:
    assert loosen(demanding(parse(q), required), required) is None


def places(marked: str, **weights: float) -> list[str]:
    """The places of a text whose words between [ ] are marked."""
    text, spans = "", []
    for number, part in enumerate(marked.replace("]", "[").split("[")):
        if number % 2:
            spans.append((len(text), len(text) + len(part)))
        text += part
    offsets = list(range(0, max(len(text), 1), 40))
    lines = LineIndex(offsets, [offset * 100 for offset in offsets])
    terms: dict[Term, float] = {Word(word): weight for word, weight in weights.items()}
    return [text[each.begin : each.end] for each in find_some(text, spans, lines, terms)]


FAR = " and so on" * 80


def test_the_place_with_most_weight_is_found() -> None:
    text = f"[the] [the] [sea]{FAR} [moon] x [sea]{FAR} [the]"
    assert places(text, the=0.1, sea=0.4, moon=0.5) == ["moon x sea"]
    assert places(text, the=0.1, sea=0.9, moon=0.5) == ["the sea", "moon x sea"]
    assert places("", sea=1.0) == []


@given(st.lists(st.sampled_from([" x", "[sea]", "[moon]", "[the]", FAR]), max_size=30))
def test_places_are_in_order_and_short(parts: list[str]) -> None:
    text = " ".join(parts)
    found = places(text, the=0.2, sea=0.3, moon=0.5)
    assert bool(found) == ("[" in text)
    assert all(len(each) <= WIDE for each in found)
