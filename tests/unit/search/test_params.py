"""The parameters of a search are read and checked."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from werkzeug.datastructures import MultiDict

from shared.errors import BadRequest
from shared.search.params import Params


def params(*pairs: tuple[str, str]) -> Params:
    return Params.from_request(MultiDict(pairs))


def test_every_parameter_is_read() -> None:
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
        ("added_after", "2024-01-31"),
        ("sort", "newest"),
        ("limit", "50"),
        ("cursor", "abc"),
        ("new_in", "0123abcd"),
    ) == Params(
        q="cat",
        playlists=("PL1", "PL2"),
        channels=("UC1",),
        languages=("en",),
        after="2024-01-31",
        before="2025-01-01",
        added_after="2024-01-31T00:00:00.000Z",
        minimum_minutes=1.5,
        maximum_minutes=60,
        texts=("title", "transcript"),
        sort="newest",
        limit=50,
        cursor="abc",
        new_in="0123abcd",
    )


def test_empty_parameters_are_ignored() -> None:
    assert (
        params(*((name, "") for name in ("q", "in", "sort", "limit", "after", "min_minutes", "channel")))
        == Params()
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("after", "soon"),
        ("before", "2024-13-01"),
        ("added_after", "2024-13-01"),
        ("added_after", "2024-01-31T99"),
        ("added_after", "yesterday"),
        ("sort", "playlist"),
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
        ("new_in", "../x"),
        ("new_in", "__x__"),
        ("new_in", "x" * 129),
    ],
)
def test_the_error_names_the_wrong_parameter(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"^{name}: expected"):
        params((name, value))


def test_all_pages_of_a_search_have_the_same_signature() -> None:
    one = params(("q", "cat"), ("limit", "5"))
    assert one.signature() == params(("q", "cat"), ("limit", "9"), ("cursor", "x")).signature()
    assert one.signature() != params(("q", "dog"), ("limit", "5")).signature()
    # The new hits of a saved search change while somebody looks at them.
    new = params(("q", "cat"), ("new_in", "s1"))
    assert replace(new, among=("a", "b")).signature() == replace(new, among=("b",)).signature()
    assert new.signature() != one.signature()


def test_words_that_are_required_and_searches_by_meaning() -> None:
    assert params(("require", " Sea\u00ad "), ("require", "moon")).required == ("Sea", "moon")
    assert params(("by", "meaning"), ("sort", "relevance"), ("language", "en")).by == "meaning"
    too_many = [("require", f"w{number}") for number in range(65)]
    for wrong in ([("require", "?!")], too_many, [("by", "magic")]):
        with pytest.raises(BadRequest):
            params(*wrong)
    for name in ("cursor", "require", "in", "new_in"):
        with pytest.raises(BadRequest, match=f"{name}: a search by meaning cannot have it"):
            params(("by", "meaning"), (name, "transcript"))
    with pytest.raises(BadRequest, match="sort: a search by meaning"):
        params(("by", "meaning"), ("sort", "newest"))
