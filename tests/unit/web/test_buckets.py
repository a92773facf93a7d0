"""How often something may be asked for."""

from __future__ import annotations

import time

import pytest

from shared.errors import TooMany
from shared.web import buckets
from shared.web.buckets import Buckets


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(time, "monotonic", made)
    return made


def taken(limit: Buckets, key: str, most: int = 100) -> int:
    """How many requests are let through."""
    for number in range(most):
        try:
            limit.take(key)
        except TooMany:
            return number
    return most


def test_so_many_at_once_and_then_so_many_a_second(clock: Clock) -> None:
    limit = Buckets(5, 0.5)
    assert taken(limit, "a") == 5
    clock.now += 4
    assert taken(limit, "a") == 2
    clock.now += 3600
    assert taken(limit, "a") == 5, "a bucket is never more than full"


def test_each_key_has_a_bucket_of_its_own(clock: Clock) -> None:
    limit = Buckets(3, 1)
    assert [taken(limit, key) for key in "aab"] == [3, 0, 3]


def test_a_refused_request_says_when_the_next_one_is_let_through(clock: Clock) -> None:
    limit = Buckets(2, 0.1)
    taken(limit, "a")
    clock.now += 4
    with pytest.raises(TooMany) as raised:
        limit.take("a")
    assert raised.value.retry_after == 6
    clock.now += 6
    limit.take("a")


def test_full_buckets_are_forgotten_when_there_are_many(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_MOST", 5)
    limit = Buckets(2, 1)
    for key in "abc":
        limit.take(key)
    clock.now += 0.5
    assert taken(limit, "d") == 2
    assert taken(limit, "a") == 1, "it was not full"
    clock.now += 60
    for key in "ef":
        limit.take(key)
    assert set(limit._full_at) == {"e", "f"}


def test_made_up_keys_displace_each_other_and_not_a_key_that_is_used_up(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_MOST", 10)
    limit = Buckets(5, 0.1)
    assert taken(limit, "greedy") == 5
    for number in range(100):
        limit.take(f"made up {number}")
        assert len(limit._full_at) <= 10
    assert taken(limit, "greedy") == 0
