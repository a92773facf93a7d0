"""When sources are due: slots, choices, and videos that wait."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.library.refreshes import (
    Again,
    Refresh,
    _pack,
    _unpack,
    due_at,
    every,
    next_slot,
)

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("chosen", "videos", "expected"),
    [
        ("auto", 0, "daily"),
        ("auto", 200, "daily"),
        ("auto", 201, "weekly"),
        ("daily", 20_000, "daily"),
        ("weekly", 1, "weekly"),
        ("off", 1, "off"),
    ],
)
def test_small_sources_are_daily_unless_the_person_chooses(chosen: Any, videos: int, expected: str) -> None:
    assert every(chosen, videos) == expected
    assert Refresh("ann", "PLx", chosen, videos).every == expected


@pytest.mark.parametrize(("how_often", "period"), [("daily", DAY), ("weekly", 7 * DAY)])
def test_slots_follow_each_other_at_the_same_time(how_often: Any, period: timedelta) -> None:
    for number in range(50):
        first = next_slot(f"PL{number}", how_often, NOW)
        assert first is not None
        assert NOW < first <= NOW + period
        assert next_slot(f"PL{number}", how_often, first) == first + period
        assert next_slot(f"PL{number}", how_often, first - timedelta(seconds=1)) == first


def test_a_weekly_slot_is_one_of_the_daily_ones() -> None:
    """So that users who have chosen differently share requests."""
    weekly = next_slot("PLx", "weekly", NOW)
    assert weekly is not None
    assert next_slot("PLx", "daily", weekly - DAY) == weekly
    assert next_slot("PLx", "off", NOW) is None


def test_slots_are_spread_over_the_day_and_the_week() -> None:
    slots = [next_slot(f"PL{number}", "weekly", NOW) for number in range(2400)]
    hours = Counter(slot.hour for slot in slots if slot)
    weekdays = Counter(slot.weekday() for slot in slots if slot)
    assert len(hours) == 24
    assert max(hours.values()) < 2 * min(hours.values())
    assert len(weekdays) == 7
    assert max(weekdays.values()) < 1.5 * min(weekdays.values())


def test_a_video_that_can_be_watched_later_is_due_before_the_slot() -> None:
    slot = NOW + DAY
    soon, later = NOW + timedelta(hours=1), NOW + 2 * DAY
    assert due_at(slot, {}) == slot
    assert due_at(slot, {"a": Again(soon)}) == slot, "a recheck is early enough at the slot"
    assert due_at(slot, {"a": Again(soon, not_yet=True), "b": Again(later, not_yet=True)}) == soon
    assert due_at(slot, {"b": Again(later, not_yet=True)}) == slot
    assert due_at(None, {"a": Again(soon, not_yet=True)}) is None, "it is off"


def test_only_what_is_overdue_is_asked_about() -> None:
    waiting = {"b": Again(NOW), "a": Again(NOW - DAY), "c": Again(NOW + DAY)}
    assert Refresh("ann", "PLx", waiting=waiting).overdue(NOW) == ["a", "b"]


def test_what_waits_is_read_as_it_was_written() -> None:
    waiting = {"a": Again(NOW + timedelta(microseconds=511_633)), "-_b": Again(NOW, not_yet=True)}
    assert _unpack(_pack(waiting)) == waiting
    assert _unpack(_pack({})) == _unpack(None) == {}
