"""What the pacer makes of addresses that bear so much, in simulated time."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean

import pytest

from shared.known import Known
from shared.pacing import FIRST_CONCURRENCY, TRUSTED, Pacer, Ticket
from tests.unit.pacing_model import (
    BUSY,
    CALM,
    OVERLOADED,
    Address,
    Load,
    Processes,
    Run,
    at_a_fixed_rate,
    simulate,
)

NOW = 1_000_000.0


#: Requests a window, and its seconds: from one video a second on.
ADDRESSES = (
    *((20, 10), (50, 5), (60, 20), (100, 10), (150, 4), (150, 10)),
    *((200, 60), (300, 20), (400, 10), (400, 60), (599, 10)),
)


def _wasted(runs: list[Run]) -> list[float]:
    """Percents, least first."""
    return sorted(100 * run.refused / run.requests for run in runs)


@pytest.mark.parametrize("kind", ["429", "bot", "rate_limited"])
@pytest.mark.parametrize("latency", [0.01, 0.1, 0.5])
def test_three_hundred_videos_with_at_most_three_percent_wasted(latency: float, kind: str) -> None:
    """And about as fast as who knew both numbers: budget/window requests a second, evenly."""
    runs = []
    for budget, window in ADDRESSES:
        run = simulate(Address(budget, window, kind), 300, pacer=Pacer(50), latency=latency)
        assert run.done == 300
        assert run.counted <= 8, (budget, window, run)
        at_best = max(600 / budget * window, 600 * latency / 12)
        assert run.seconds <= 1.8 * at_best + 3, (budget, window, run, at_best)
        runs.append(run)
    wasted = _wasted(runs)
    assert wasted[-1] < 3
    assert mean(wasted) <= 1.6


@pytest.mark.parametrize("unit", ["requests", "videos"])
@pytest.mark.parametrize(("load", "seeds"), [(BUSY, 3), (OVERLOADED, 3)])
def test_on_a_machine_that_is_busy_with_other_things_as_little_is_wasted(
    load: Load, seeds: int, unit: str
) -> None:
    runs = []
    for budget, window in ADDRESSES:
        for seed in range(seeds):
            address = Address(budget if unit == "requests" else budget // 2, window, unit=unit)
            latency = (0.02, 0.1, 0.3)[seed % 3]
            runs.append(simulate(address, 300, pacer=Pacer(50), latency=latency, load=load, seed=seed))
    wasted = _wasted(runs)
    assert wasted[-1] < 3
    assert mean(wasted) <= 1.2


@pytest.mark.parametrize("load", [CALM, BUSY])
@pytest.mark.parametrize("starts", [(0.0, 0.0), (0.0, 20.0)])
def test_processes_of_one_address_do_not_make_each_other_pause(starts: tuple[float, ...], load: Load) -> None:
    """Two are about as fast as one, also if one begins later; they learn of each other's requests late."""
    runs = []
    for budget, window in ADDRESSES:
        run = simulate(Address(budget, window), 300, pacer=Processes(50, starts), load=load)
        at_best = max(600 / budget * window, 600 * 0.1 / 12)
        assert run.seconds <= 2.2 * at_best + 3, (budget, window, run, at_best)
        runs.append(run)
    assert mean(_wasted(runs)) <= 3.6


def test_no_window_gets_more_than_one_bore_before_whatever_is_late() -> None:
    """Once both numbers are known, and until more is tried, nothing is refused, wherever windows begin."""
    for seed in range(20):
        address = Address(60, 5)
        known = Known(limit=60, length=5.0)
        run = simulate(address, 150, pacer=Pacer(50, known), latency=0.3, load=OVERLOADED, seed=seed)
        assert run.refused == 0, (seed, run)


def test_a_budget_of_videos_and_not_of_requests() -> None:
    address = Address(60, 10, "429", unit="videos")
    run = simulate(address, 300, pacer=Pacer(50))
    assert run.done == 300
    assert run.refused <= 12
    assert run.seconds <= 1.7 * 50


def _fastest_fixed_rate() -> float:
    """Videos a second that waste 3 % at most with each of the addresses, as nobody knows which it will be."""
    rate = 0.1
    while all(
        run.refused <= 0.03 * run.requests
        for run in (at_a_fixed_rate(Address(*each), 300, rate * 1.02) for each in ADDRESSES)
    ):
        rate *= 1.02
    return rate


def test_it_is_faster_than_a_fixed_slow_rate() -> None:
    """The best of those that never waste more than we may; only one address it fits as if it knew it."""
    rate = _fastest_fixed_rate()
    assert 0.9 < rate < 1.1
    for budget, window in ADDRESSES:
        fixed = at_a_fixed_rate(Address(budget, window), 300, rate)
        for load in (CALM, BUSY, OVERLOADED):
            ours = simulate(Address(budget, window), 300, pacer=Pacer(50), load=load)
            if budget / window > 2:
                assert ours.seconds < fixed.seconds, (budget, window, load, ours, fixed)
            else:
                assert ours.seconds < 1.8 * fixed.seconds, (budget, window, load, ours, fixed)


@pytest.mark.parametrize(("capacity", "fresh", "trusted"), [(50, 56, 21), (200, 46, 6)])
def test_an_address_that_bears_everything_reaches_full_concurrency(
    capacity: int, fresh: float, trusted: float
) -> None:
    """A thousand videos of two requests of 0.5 s: 20 s at 50, 5 s at 200 are the least."""
    for known, limit in ((Known(), fresh), (Known(borne=5000), trusted)):
        run = simulate(
            Address(None),
            1000,
            pacer=Pacer(capacity, known),
            latency=0.5,
            jitter=0,
            overhead=0,
            workers=capacity + 4,
        )
        assert (run.refused, run.requests) == (0, 2000)
        assert run.seconds <= limit


def test_what_was_learned_is_of_use_to_the_next_process() -> None:
    address, first = Address(100, 10), Pacer(50)
    simulate(address, 300, pacer=first)
    wasted = address.refused
    # An hour later.
    later = Pacer(50, first.known)
    run = simulate(address, 300, pacer=later, start=NOW + 3600)
    assert run.refused - wasted <= 3


def test_an_address_that_is_let_in_for_more_is_used_for_more() -> None:
    address, pacer = Address(60, 5), Pacer(50)
    simulate(address, 200, pacer=pacer)
    address.budget = 600
    before = address.refused
    run = simulate(address, 1500, pacer=pacer, start=pacer.known.opens_at + 10)
    assert run.refused - before <= 0.01 * 2 * 1500
    assert pacer.known.limit is not None
    assert pacer.known.limit > 300


def test_an_address_that_is_let_in_for_less_is_spared() -> None:
    address, pacer = Address(300, 5), Pacer(50)
    simulate(address, 600, pacer=pacer)
    address.budget, before = 60, address.refused
    run = simulate(address, 300, pacer=pacer, start=pacer.known.opens_at + 10)
    assert run.refused - before <= 18


def test_a_block_that_goes_on_is_asked_after_less_and_less_often() -> None:
    pacer, now, gaps = Pacer(50), NOW, []
    while now < NOW + 20_000:
        ticket = pacer.admit("v", now)
        if isinstance(ticket, float):
            gaps.append(ticket - now)
            now = ticket
            continue
        assert pacer.sending(ticket, now)
        assert pacer.blocked(ticket, now)
        pacer.release(ticket, now)
    assert gaps[0] < 4
    assert max(gaps) == 900
    assert len(gaps) < 40


def _ticket(pacer: Pacer, video: str, now: float = NOW) -> Ticket:
    ticket = pacer.admit(video, now)
    assert isinstance(ticket, Ticket)
    assert pacer.sending(ticket, now)
    return ticket


def test_one_refusal_stops_all_and_what_is_under_way_sends_nothing_more() -> None:
    pacer = Pacer(50)
    tickets = [_ticket(pacer, str(number)) for number in range(FIRST_CONCURRENCY)]
    assert pacer.admit("another", NOW) == NOW
    assert pacer.blocked(tickets[0], NOW)
    assert not pacer.sending(tickets[1], NOW)
    closed = pacer.admit("another", NOW)
    assert isinstance(closed, float)
    assert closed > NOW


def test_only_one_probe_goes_and_its_success_opens_the_way() -> None:
    pacer = Pacer(50)
    ticket = _ticket(pacer, "a")
    pacer.blocked(ticket, NOW)
    pacer.release(ticket, NOW)
    later = pacer.known.opens_at
    probe = _ticket(pacer, "a", later)
    assert isinstance(pacer.admit("b", later), float)
    pacer.passed(probe, later)
    pacer.release(probe, later)
    assert pacer.known.state == "closed"
    _ticket(pacer, "b", later)


def test_a_probe_that_learns_nothing_is_followed_by_another() -> None:
    pacer = Pacer(50)
    ticket = _ticket(pacer, "a")
    pacer.blocked(ticket, NOW)
    pacer.release(ticket, NOW)
    later, pause = pacer.known.opens_at, pacer.known.pause
    unused = pacer.admit("a", later)
    assert isinstance(unused, Ticket)
    pacer.release(unused, later)
    timed_out = _ticket(pacer, "b", later)
    pacer.release(timed_out, later)
    assert (pacer.known.state, pacer.known.opens_at) == ("open", later + pause)


def test_a_probe_whose_process_died_is_anothers() -> None:
    pacer = Pacer(50, replace(Known(), state="half_open", opens_at=NOW + 5))
    assert pacer.admit("a", NOW) == NOW + 5
    assert isinstance(pacer.admit("a", NOW + 5), Ticket)


def test_what_may_be_of_the_video_is_no_block_until_another_confirms_it() -> None:
    pacer = Pacer(50)
    doomed = _ticket(pacer, "doomed")
    assert not pacer.blocked(doomed, NOW, weak=True)
    pacer.release(doomed, NOW)
    assert pacer.concurrency(NOW) == 1
    other = _ticket(pacer, "other")
    pacer.passed(other, NOW)
    pacer.release(other, NOW)
    assert pacer.concurrency(NOW) == FIRST_CONCURRENCY
    again = _ticket(pacer, "doomed")
    assert not pacer.blocked(again, NOW, weak=True)
    pacer.release(again, NOW)
    confirming = _ticket(pacer, "third")
    assert pacer.blocked(confirming, NOW, weak=True)
    assert pacer.known.state == "open"


def test_a_video_that_alone_is_refused_while_others_pass_stops_nobody() -> None:
    pacer, now, tripped = Pacer(50), NOW, 0
    for number in range(40):
        for video in ("doomed", f"other {number}"):
            ticket = pacer.admit(video, now)
            while isinstance(ticket, float):
                now = max(now + 0.1, ticket)
                ticket = pacer.admit(video, now)
            pacer.sending(ticket, now)
            if video == "doomed":
                tripped += pacer.blocked(ticket, now)
            else:
                pacer.passed(ticket, now)
            pacer.release(ticket, now)
    assert tripped <= 2


def test_what_another_process_knows_counts_from_now_on() -> None:
    pacer = Pacer(50)
    ticket = _ticket(pacer, "a")
    pacer.exchange(Known(generation=4, state="open", opens_at=NOW + 60, blocked_at=NOW))
    assert not pacer.sending(ticket, NOW)
    assert pacer.admit("b", NOW) == NOW + 60
    # A straggler says nothing new.
    assert pacer.blocked(ticket, NOW)
    assert pacer.known.opens_at == NOW + 60


def test_trust_grows_with_what_was_borne() -> None:
    allowed = [
        Pacer(200, Known(borne=borne)).concurrency(NOW) for borne in (0, 120, 360, TRUSTED, TRUSTED + 100)
    ]
    assert allowed == [6, 7, 9, 11, 111]
    assert Pacer(50, Known(borne=10_000)).concurrency(NOW) == 50
