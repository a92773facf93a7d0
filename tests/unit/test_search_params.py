"""The parameters of a search."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from shared.errors import BadRequest
from shared.search_params import Params


def params(*pairs: tuple[str, str]) -> Params:
    return Params.of(MultiDict(pairs))


def test_all_of_them() -> None:
    assert params(
        ("q", "cat"),
        ("playlist", "PL1"),
        ("playlist", "PL2"),
        ("channel", "UC1"),
        ("language", "en"),
        ("after", "2024-01-31"),
        ("before", "2025"),
        ("min_minutes", "1.5"),
        ("max_minutes", "60"),
        ("in", "transcript,title"),
        ("sort", "newest"),
        ("limit", "50"),
        ("cursor", "abc"),
    ) == Params(
        q="cat",
        playlists=("PL1", "PL2"),
        channels=("UC1",),
        languages=("en",),
        after="2024-01-31",
        before="2025-01-01",
        minimum_minutes=1.5,
        maximum_minutes=60,
        texts=("title", "transcript"),
        sort="newest",
        limit=50,
        cursor="abc",
    )


def test_empty_ones_are_left_out() -> None:
    assert (
        params(*((name, "") for name in ("q", "in", "sort", "limit", "after", "min_minutes", "channel")))
        == Params()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "soon"),
        ("before", "2024-13-01"),
        ("min_minutes", "-1"),
        ("max_minutes", "nan"),
        ("max_minutes", "1e400"),
        ("in", "title,comments"),
        ("sort", "best"),
        ("limit", "0"),
        ("limit", "51"),
        ("limit", "ten"),
        ("limit", "٣"),
        ("playlist", "P" * 257),
    ],
)
def test_a_wrong_one_is_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"^{name}: expected"):
        params((name, value))


def test_a_search_is_the_same_whatever_its_page() -> None:
    one = params(("q", "cat"), ("limit", "5"))
    assert one.signature() == params(("q", "cat"), ("limit", "9"), ("cursor", "x")).signature()
    assert one.signature() != params(("q", "dog"), ("limit", "5")).signature()
