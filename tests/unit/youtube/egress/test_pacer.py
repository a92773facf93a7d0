"""What the pacer makes of addresses with different budgets, in simulated time."""

from __future__ import annotations

from functools import lru_cache
from statistics import median

import pytest

from shared.youtube.egress.pacer import FIRST_CONCURRENCY, TRUSTED, Pacer, Ticket
from shared.youtube.egress.window import Window
from tests.unit.youtube.egress.pacing_model import (
    BUSY,
    CALM,
    NOW,
    OVERLOADED,
    Address,
    Load,
    Processes,
    Run,
    simulate,
)

#: Requests in so many seconds.
BUDGETS = ((60, 2), (60, 60), (100, 10), (150, 4), (250, 20), (400, 2), (400, 60))
VIDEOS = 400
#: Seconds that a run may take besides what its budget allows: the pauses of a first block.
SLACK = 3.0


@lru_cache
def runs(
    load: Load, starts: tuple[float, ...] = (0.0,), kind: str = "429", unit: str = "requests"
) -> list[tuple[Run, float]]:
    """Each run, and how many times longer it took than its budget, or the machine, allows."""
    made = []
    for seed, latency in enumerate((0.02, 0.1, 0.5)):
        free = simulate(Address(None), VIDEOS, Processes(), latency=latency, load=load, seed=seed)
        for budget, window in BUDGETS:
            address = Address(budget if unit == "requests" else budget // 2, window, kind, unit)
            run = simulate(address, VIDEOS, Processes(starts), latency=latency, load=load, seed=seed)
            allowed = max(2 * VIDEOS / budget * window, free.seconds)
            made.append((run, (run.seconds - SLACK) / allowed))
    return made


# These long simulations run the same lines as the tests below. Tracing them would take a minute.
long_simulation = pytest.mark.no_cover


@long_simulation
@pytest.mark.parametrize(
    ("load", "kind", "unit"),
    [
        *((load, "429", "requests") for load in (CALM, BUSY, OVERLOADED)),
        *((CALM, kind, "requests") for kind in ("bot", "rate_limited")),
        (CALM, "429", "videos"),
    ],
)
def test_few_requests_are_wasted_and_most_of_the_budget_is_used(load: Load, kind: str, unit: str) -> None:
    """At the first block, what is in flight is wasted: at most 50. Later, a twentieth is."""
    # "Try again later" may be said of the video alone. So some refusals count as attempts at a video.
    doubtful = kind == "rate_limited"
    made = runs(load, kind=kind, unit=unit)
    for run, _ in made:
        assert run.first.refused <= min(0.35 * run.first.requests, 50), run
        assert run.later.refused <= max(5, (0.055 if doubtful else 0.04) * run.later.requests), run
        assert run.of_videos <= (30 if doubtful else 1), run
    assert median(times for _, times in made) <= 1.6
    assert max(times for _, times in made) <= 2.2


@long_simulation
@pytest.mark.parametrize(
    ("load", "starts"),
    [(CALM, (0.0, 0.0)), (BUSY, (0.0, 0.0)), (OVERLOADED, (0.0, 0.0)), (CALM, (0.0, 20.0))],
)
def test_two_processes_of_one_address_are_as_fast_as_one(load: Load, starts: tuple[float, ...]) -> None:
    for (two, _), (one, _) in zip(runs(load, starts), runs(load), strict=True):
        assert two.first.refused <= min(0.4 * two.first.requests, 2 * 50), two
        assert two.later.refused <= max(5, 0.05 * two.later.requests), two
        assert two.seconds <= 2.2 * one.seconds + SLACK, (two, one)


def test_processes_of_an_address_do_not_multiply_what_is_wasted_at_the_first_block() -> None:
    """They waste about as much as one process with as many videos at once as all of them together."""

    def wasted(processes: int, capacity: int) -> int:
        return sum(
            simulate(
                Address(budget, 60), 200, Processes((0.0,) * processes, capacity), latency=latency, seed=seed
            ).first.refused
            for budget in (100, 200)
            for latency in (0.5, 1.0)
            for seed in range(3)
        )

    assert wasted(3, 50) <= 1.25 * wasted(1, 150)


def test_an_address_that_bears_everything_reaches_full_concurrency() -> None:
    """A thousand videos, two requests of half a second each, 50 at once: 20 s at best."""

    def seconds(succeeded: int) -> float:
        known = Processes(document=Window(succeeded=succeeded))
        return simulate(Address(None), 1000, known, latency=0.45).seconds

    assert seconds(TRUSTED) < 21
    assert seconds(0) < 1.1 * seconds(TRUSTED)


def test_what_was_learned_serves_the_next_process() -> None:
    address, first = Address(100, 10), Processes()
    simulate(address, 300, first)
    run = simulate(address, 300, Processes(document=first.document), start=NOW + 3600)
    assert run.wasted <= 0.01
    assert run.seconds < 1.6 * 60


@pytest.mark.parametrize(("budget", "now", "videos", "seconds"), [(60, 600, 1500, 125), (300, 60, 300, 80)])
def test_an_address_that_bears_more_or_less_than_before(
    budget: int, now: int, videos: int, seconds: float
) -> None:
    """More: it takes half of what the old budget allows. Less: 1.6 times what the new one allows."""
    address, processes = Address(budget, 5), Processes()
    simulate(address, 600, processes)
    address.budget = now
    run = simulate(address, videos, processes, start=NOW + 3600)
    assert run.wasted <= 0.05
    assert run.seconds < seconds


def test_a_block_after_little_work_does_not_take_the_rate_for_small() -> None:
    """Five videos every 100 s for hours: that says nothing of what the address bears."""
    for rate in (None, 8.0):
        address, processes = Address(100, 10), Processes(document=Window(rate=rate))
        for number in range(100):
            simulate(address, 5, processes, start=NOW + 100 * number)
        run = simulate(address, 300, processes, start=NOW + 10_000)
        assert run.seconds < 1.6 * 60, (rate, run)


def test_a_block_that_never_ends_is_probed_less_and_less_often() -> None:
    pacer, now, pauses = Pacer(50), NOW, []
    while now < NOW + 20_000:
        ticket = pacer.admit("v", now)
        if isinstance(ticket, float):
            pauses.append(ticket - now)
            now = ticket
            continue
        assert pacer.may_send(ticket, now)
        assert pacer.refused(ticket, now)
        pacer.release(ticket, now)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (3, 900)
    assert len(pauses) < 40


def test_refused_requests_that_were_repeated_say_nothing_of_the_rate() -> None:
    """An address that is blocked from the first day begins carefully, and not at the slowest rate."""
    pacer, now = Pacer(50), NOW
    for refused in (*[True] * 20, False):
        while isinstance(ticket := pacer.admit("v", now), float):
            now = ticket
        assert pacer.may_send(ticket, now)
        assert pacer.may_send(ticket, now, repeats_refused=refused)
        if refused:
            assert pacer.refused(ticket, now)
        else:
            pacer.succeeded(ticket, now)
        pacer.release(ticket, now)
    assert (pacer.window.state, pacer.window.rate) == ("closed", 2.0)


def sent(pacer: Pacer, video: str, now: float = NOW) -> Ticket:
    ticket = pacer.admit(video, now)
    assert isinstance(ticket, Ticket)
    assert pacer.may_send(ticket, now)
    return ticket


def blocked(pacer: Pacer) -> float:
    """Returns when the first probe may go."""
    ticket = sent(pacer, "refused")
    assert pacer.refused(ticket, NOW)
    pacer.release(ticket, NOW)
    return pacer.window.opens_at


def test_one_refusal_stops_all_and_answers_of_earlier_requests_change_nothing() -> None:
    pacer = Pacer(50)
    tickets = [sent(pacer, str(number)) for number in range(FIRST_CONCURRENCY)]
    assert pacer.admit("another", NOW) == NOW
    assert pacer.refused(tickets[0], NOW)
    assert not pacer.may_send(tickets[1], NOW)
    window = pacer.window
    assert pacer.refused(tickets[1], NOW + 1)
    assert pacer.window == window
    assert pacer.admit("another", NOW + 1) == window.opens_at
    probe = sent(pacer, "probe", window.opens_at)
    pacer.succeeded(probe, window.opens_at)
    assert pacer.refused(tickets[2], window.opens_at)
    assert pacer.window.state == "closed"


def test_only_one_probe_goes_and_its_success_closes_the_breaker() -> None:
    pacer = Pacer(50)
    later = blocked(pacer)
    probe = sent(pacer, "a", later)
    assert isinstance(pacer.admit("b", later), float)
    pacer.succeeded(probe, later)
    assert pacer.window.state == "closed"
    sent(pacer, "b", later)


def test_a_probe_without_an_answer_is_followed_by_another() -> None:
    pacer = Pacer(50)
    later = blocked(pacer)
    probe = sent(pacer, "a", later)
    pacer.release(probe, later)
    assert (pacer.window.state, pacer.window.opens_at) == ("open", later + pacer.window.pause)
    lost = Pacer(50, Window(state="half_open", opens_at=NOW + 5))
    assert lost.admit("a", NOW) == NOW + 5
    assert isinstance(lost.admit("a", NOW + 5), Ticket)


def test_a_trusted_address_is_trusted_no_more_after_a_block() -> None:
    pacer = Pacer(50, Window(succeeded=5000))
    assert pacer.concurrency() == 50
    later = blocked(pacer)
    pacer.succeeded(sent(pacer, "probe", later), later)
    assert pacer.concurrency() == 3


def test_a_weak_refusal_is_no_block_until_another_video_confirms_it() -> None:
    pacer = Pacer(50)
    doomed = sent(pacer, "doomed")
    assert not pacer.refused(doomed, NOW, weak=True)
    pacer.release(doomed, NOW)
    assert pacer.concurrency() == 1
    other = sent(pacer, "other", NOW + 1)
    pacer.succeeded(other, NOW + 1)
    pacer.release(other, NOW + 1)
    assert pacer.concurrency() > FIRST_CONCURRENCY
    again = sent(pacer, "doomed", NOW + 2)
    assert not pacer.refused(again, NOW + 2, weak=True)
    pacer.release(again, NOW + 2)
    assert pacer.refused(sent(pacer, "third", NOW + 3), NOW + 3, weak=True)
    assert pacer.window.state == "open"


def test_a_video_that_is_refused_while_others_pass_stops_nobody() -> None:
    pacer, now, blocks = Pacer(50), NOW, 0
    for number in range(40):
        for video in ("doomed", f"other {number}"):
            while isinstance(ticket := pacer.admit(video, now), float):
                now = max(now + 0.1, ticket)
            pacer.may_send(ticket, now)
            if video == "doomed":
                blocks += pacer.refused(ticket, now)
            else:
                pacer.succeeded(ticket, now)
            pacer.release(ticket, now)
    assert blocks <= 2


def test_the_bucket_pays_for_the_requests_of_other_processes() -> None:
    pacer = Pacer(50, Window(rate=10.0))
    pacer.sync(Window(rate=10.0))
    ticket = sent(pacer, "a")
    pacer.sync(Window(rate=10.0, succeeded=50))
    pacer.release(ticket, NOW)
    turn = pacer.admit("b", NOW)
    assert isinstance(turn, float)
    assert 4 < turn - NOW < 6


def test_each_video_that_passes_allows_one_more() -> None:
    pacer, videos = Pacer(200), FIRST_CONCURRENCY
    for _ in range(3):  # windows
        tickets = [sent(pacer, str(number)) for number in range(videos)]
        assert pacer.admit("another", NOW) == NOW
        for each in tickets:
            pacer.succeeded(each, NOW)
            pacer.release(each, NOW)
        videos *= 2
        assert pacer.concurrency() == videos


def test_processes_of_an_address_do_not_grow_by_the_videos_of_others_until_it_is_trusted() -> None:
    def concurrency(succeeded: int) -> int:
        pacer = Pacer(50)
        pacer.sync(Window(succeeded=succeeded))
        return pacer.concurrency()

    assert [concurrency(each) for each in (0, TRUSTED - 1, TRUSTED)] == [
        FIRST_CONCURRENCY,
        FIRST_CONCURRENCY,
        50,
    ]


def test_a_process_begins_slowly_again_when_what_is_known_of_its_address_is_deleted() -> None:
    pacer = Pacer(50)
    pacer.last_synced = pacer.sync(Window())
    for number in range(TRUSTED):
        ticket = sent(pacer, str(number))
        pacer.succeeded(ticket, NOW)
        pacer.release(ticket, NOW)
    pacer.last_synced = pacer.sync(Window())
    assert pacer.concurrency() == 50
    pacer.sync(Window())
    assert pacer.concurrency() == FIRST_CONCURRENCY
