"""Refusals in words that may concern the video or the address: all good videos are fetched nevertheless."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from shared.youtube.egress.breaker import Breaker, RouteClosed, egress_path
from shared.youtube.egress.pacer import FIRST_CONCURRENCY, Ticket
from shared.youtube.egress.window import FIRST_PAUSE, Window, window_from
from shared.youtube.player_key import PlayerKey
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock


@pytest.fixture
def db(clock_of_test: StoppedClock) -> InMemory:
    """An empty database, while the time stands still."""
    return InMemory()


def process(db: InMemory) -> Breaker:
    """The breaker of one process."""
    return Breaker(db, "main", 50, PlayerKey("https://www.youtube.com"), worker=False, sync_every=3600.0)


def stored(db: InMemory) -> Window:
    return window_from(db[egress_path("main")])


def simulate(
    breaker: Breaker,
    clock: StoppedClock,
    refused: set[str],
    good: set[str],
    seed: int,
    *,
    unknown: bool = True,
) -> float:
    """Asks for all videos. Returns the seconds until the good ones were fetched.

    Each refused video is asked for eight times.
    """
    order = sorted(refused | good)
    Random(seed).shuffle(order)
    due, attempts, done = dict.fromkeys(order, 0.0), Counter[str](), set[str]()
    under_way: list[tuple[float, str, Ticket]] = []
    now, last = 0.0, 0.0
    while due or under_way:
        for each in [each for each in under_way if each[0] <= now]:
            under_way.remove(each)
            _, video, ticket = each
            if video in good:
                breaker.succeeded(ticket)
                done.add(video)
                last = now
            else:
                of_address = breaker.refused(ticket, weak=True, unknown=unknown)
                assert not (of_address and unknown)
                attempts[video] += not of_address
                if attempts[video] < 8:
                    due[video] = now + min(60.0, 2.0 ** attempts[video])
            breaker.release(ticket)
        for video in [video for video, at in due.items() if at <= now]:
            try:
                ticket = breaker.acquire(video, 0)
            except RouteClosed:
                break
            breaker.may_send(ticket)
            under_way.append((now + 0.3, video, ticket))
            del due[video]
        now += 0.05
        clock.forward(seconds=0.05)
    assert done == good
    assert set(attempts.values()) <= {8}
    return last


@pytest.mark.parametrize(("refused", "good", "seed"), [(20, 500, 1), (2, 100, 2), (30, 300, 3)])
def test_videos_that_are_refused_in_unknown_words_do_not_hold_up_the_others(
    refused: int, good: int, seed: int, db: InMemory, clock_of_test: StoppedClock
) -> None:
    doomed, others = (
        {f"{kind}{number}" for number in range(count)} for kind, count in (("u", refused), ("g", good))
    )
    breaker = process(db)
    undisturbed = simulate(process(InMemory()), clock_of_test, set(), others, seed)
    seconds = simulate(breaker, clock_of_test, doomed, others, seed)
    assert seconds < 1.5 * undisturbed + 2 * FIRST_PAUSE
    assert stored(db).rate is None


@pytest.mark.parametrize(("refused", "good"), [(2, 40), (3, 60), (10, 100)])
def test_videos_that_are_always_refused_in_doubtful_words_end(
    refused: int, good: int, db: InMemory, clock_of_test: StoppedClock
) -> None:
    """Such as "Please sign in": the others are fetched, and each refused video is settled after all."""
    doomed, others = (
        {f"{kind}{number}" for number in range(count)} for kind, count in (("u", refused), ("g", good))
    )
    began = clock_of_test.time
    simulate(process(db), clock_of_test, doomed, others, 4, unknown=False)
    assert (clock_of_test.time - began).total_seconds() < 400
    assert stored(db).pause < 10


@pytest.mark.parametrize("count", [3, 20, 40])
def test_an_address_at_which_all_is_refused_in_unknown_words_is_slowed_down(
    count: int, db: InMemory, clock_of_test: StoppedClock
) -> None:
    began = clock_of_test.time
    simulate(process(db), clock_of_test, {f"u{number}" for number in range(count)}, set(), 1)
    seconds = (clock_of_test.time - began).total_seconds()
    assert seconds > 8 * (count - FIRST_CONCURRENCY) * FIRST_PAUSE
