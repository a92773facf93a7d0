"""The order of a library: which hits come first, and where the next page begins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.search.compiler import EVERYTHING, Clause
from shared.search.params import Params
from shared.search.placing import Placing, needs_placing, page_after, within

EARLY, LATE = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)


def test_hits_come_in_the_order_of_the_library_and_unknown_ones_last() -> None:
    placing = Placing(["c", "a", "b", "a"], {})
    assert placing.sorted(["a", "b", "c"]) == ["c", "a", "b"]
    assert placing.sorted(["x", "b", "w"]) == ["b", "w", "x"]
    assert Placing().sorted(["b", "a"]) == ["a", "b"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ([], ["a", "b"]),
        ([2, "b"], ["c", "d"]),
        # Two came before the last one since then, or one went.
        ([1, "c"], ["d", "e"]),
        ([4, "c"], ["d", "e"]),
        # The last one itself has gone.
        ([3, "gone"], ["d", "e"]),
        ([9, "gone"], []),
        ([5, "e"], []),
    ],
)
def test_the_next_page_begins_after_the_last_hit_that_was_shown(
    after: list[object], expected: list[str]
) -> None:
    assert page_after(["a", "b", "c", "d", "e"], after, 2) == expected


def test_only_what_was_added_after_the_time_is_found() -> None:
    placing = Placing([], {"early": EARLY, "late": LATE})
    assert within(EVERYTHING, Params(), placing) == EVERYTHING
    clause = within(EVERYTHING, Params(added_after="2024-03-01T00:00:00Z"), placing)
    assert only_these(clause) == [["late"]]
    # A refresh found it long after it was added to its playlist.
    found = Placing([], {"early": EARLY, "late": LATE}, {"early": LATE})
    clause = within(EVERYTHING, Params(added_after="2024-06-01T00:00:00Z"), found)
    assert only_these(clause) == [["early", "late"]]
    none = within(EVERYTHING, Params(added_after="2025-01-01T00:00:00Z"), found)
    assert only_these(none) == [[]]


def test_a_large_library_is_not_too_much_for_one_list() -> None:
    many = [f"video{number:06d}" for number in range(70_000)]
    clause = within(
        EVERYTHING, Params(added_after="2024-03-01T00:00:00Z"), Placing([], dict.fromkeys(many, LATE))
    )
    lists = only_these(clause)
    assert max(map(len, lists)) < 65_536
    assert [each for part in lists for each in part] == many


def only_these(clause: Clause) -> list[list[str]]:
    """The ids of videos to which a search is limited: one of these lists has them."""
    (limit,) = clause["bool"]["filter"]
    return [each["terms"]["video_id"] for each in limit["bool"]["should"]]


def test_other_searches_need_nothing_of_the_library() -> None:
    assert not any(needs_placing(Params(sort=each)) for each in ("relevance", "newest"))
    assert all(needs_placing(Params(sort=each)) for each in ("playlist", "added"))
    assert needs_placing(Params(added_after="2024-03-01T00:00:00Z"))
