"""Cursors come from outside, and may have been changed there."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import BadRequest
from shared.search.cursor import Cursor
from shared.search.params import Params


def encoded(params: Params, pit: Any, after: Any) -> str:
    return Cursor(params.signature(), pit, 5, [], after).encode()


@pytest.mark.parametrize("sort", ["added", "playlist"])
@pytest.mark.parametrize("pit", ["", "x", None, 0])
@pytest.mark.parametrize(
    "after",
    [[], [1], [1, 2, 3], ["a", "b"], [-1, "b"], [1.5, "b"], [True, "b"], [1, 2], [1, ["b"]], "1b", {}],
)
def test_a_place_in_the_library_that_is_none_is_refused(sort: Any, pit: Any, after: Any) -> None:
    params = Params(sort=sort)
    with pytest.raises(BadRequest, match="cursor"):
        Cursor.decode(encoded(params, pit, after), params)


def test_each_sort_has_its_own_kind_of_cursor() -> None:
    placed, ranked = Params(sort="added"), Params(sort="newest")
    assert Cursor.decode(encoded(placed, "", [1, "b"]), placed).after == [1, "b"]
    assert Cursor.decode(encoded(ranked, "x", [7, "b"]), ranked).pit == "x"
    for params, pit in ((placed, "x"), (ranked, "")):
        with pytest.raises(BadRequest, match="cursor"):
            Cursor.decode(encoded(params, pit, [1, "b"]), params)
