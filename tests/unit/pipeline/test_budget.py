"""The units that refreshing may spend in a day of YouTube's quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.pipeline.budget import Budget, forget
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

#: Midnight in California, in winter.
MIDNIGHT = datetime(2024, 2, 1, 8, tzinfo=UTC)


def test_a_budget_is_spent_to_its_end_and_not_beyond(clock_of_test: StoppedClock) -> None:
    budget = Budget(InMemory(), 10)
    assert (budget.left(), budget.read().renewed_at) == (10, MIDNIGHT)
    assert budget.spend("ann", 7)
    assert not budget.spend("bob", 4)
    assert budget.spend("bob", 3)
    assert not budget.spend("ann", 1)
    spent = budget.read()
    assert (spent.units, spent.users, budget.left()) == (10, {"ann": 7, "bob": 3}, 0)


def test_a_new_budget_begins_at_midnight_in_california(clock_of_test: StoppedClock) -> None:
    budget = Budget(InMemory(), 10)
    budget.spend("ann", 10)
    clock_of_test.time = MIDNIGHT - timedelta(seconds=1)
    assert budget.left() == 0
    clock_of_test.time = MIDNIGHT
    assert (budget.left(), budget.read().users) == (10, {})
    assert budget.spend("ann", 1)
    assert budget.read().renewed_at == MIDNIGHT + timedelta(days=1)


def test_nothing_is_spent_while_youtube_takes_no_requests(clock_of_test: StoppedClock) -> None:
    budget = Budget(InMemory(), 10)
    budget.spend("ann", 2)
    budget.block(clock_of_test() + timedelta(minutes=1))
    assert (budget.read().blocked, budget.left(), budget.spend("ann", 1)) == (True, 0, False)
    clock_of_test.forward(minutes=1)
    assert (budget.read().blocked, budget.left(), budget.spend("ann", 1)) == (False, 8, True)


def test_two_calls_at_once_do_not_spend_the_same_units(clock_of_test: StoppedClock) -> None:
    db = InMemory()
    budget = Budget(db, 10)
    budget.spend("ann", 1)
    db.meanwhile = lambda: Budget(db, 10).spend("bob", 5)
    assert not budget.spend("ann", 5)
    assert budget.read().users == {"ann": 1, "bob": 5}


def test_nothing_is_left_of_an_erased_user(clock_of_test: StoppedClock) -> None:
    db = InMemory()
    for user in ("ann", "bob"):
        Budget(db, 10).spend(user, 2)
    forget(db, "ann")
    forget(db, "nobody")
    assert (Budget(db, 10).read().units, Budget(db, 10).read().users) == (4, {"bob": 2})
