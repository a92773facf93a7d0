"""Whose turn it is when sources are due, and what a listing may cost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.library.refreshes import Due
from shared.pipeline.refresh import in_turn, listing_cost

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def due(*names: str) -> list[Due]:
    """``ann1``: the user is ann. In the order in which they were due."""
    return [Due(name[:-1], f"PL{name}", NOW + timedelta(seconds=number)) for number, name in enumerate(names)]


def order(found: list[Due], spent: dict[str, int]) -> list[str]:
    return [each.playlist_id.removeprefix("PL") for each in in_turn(found, spent)]


def test_users_take_turns_and_each_ones_oldest_comes_first() -> None:
    found = due("ann1", "ann2", "ann3", "ann4", "bob1", "eve1", "bob2")
    assert order(found, {}) == ["ann1", "bob1", "eve1", "ann2", "bob2", "ann3", "ann4"]


def test_who_got_least_today_comes_first() -> None:
    found = due("ann1", "ann2", "bob1", "eve1")
    assert order(found, {"ann": 50, "bob": 7}) == ["eve1", "bob1", "ann1", "ann2"]


def test_nothing_is_left_out_or_repeated() -> None:
    found = due(*(f"{user}{number}" for number in range(9) for user in ("ann", "bob", "eve")))
    assert sorted(order(found, {"bob": 3})) == sorted(each.playlist_id[2:] for each in found)
    assert order([], {"ann": 1}) == []


@pytest.mark.parametrize(("videos", "units"), [(0, 3), (1, 3), (50, 3), (51, 4), (20_000, 402)])
def test_a_listing_costs_its_pages_its_title_and_a_page_of_metadata(videos: int, units: int) -> None:
    assert listing_cost(videos) == units
