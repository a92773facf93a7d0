"""Concurrent calls of one process become one call, and each caller gets what is its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from shared import coalescing
from shared.coalescing import Coalesced


class Work:
    """Doubles numbers; the first call waits until it is let go."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.calls.append(list(items))
        if len(self.calls) == 1:
            self.begun.set()
            assert self.go_on.wait(10)
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


def _waiting(coalesced: Coalesced[int, int], number: int) -> None:
    """Until so many calls wait for the one under way."""
    reached = threading.Event()
    while len(coalesced._waiting) < number:
        reached.wait(0.001)


def _together(
    work: Work, coalesced: Coalesced[int, int], items: Sequence[int], clock: list[float] | None = None
) -> list[Future[int]]:
    """The first item's call under way, then all others waiting behind it; it takes a second of ``clock``."""
    pool = ThreadPoolExecutor(len(items))
    futures = [pool.submit(coalesced, items[0])]
    assert work.begun.wait(10)
    futures += [pool.submit(coalesced, item) for item in items[1:]]
    _waiting(coalesced, len(items) - 1)
    if clock:
        clock[0] += 1
    work.go_on.set()
    pool.shutdown()
    return futures


def test_what_waits_goes_together_in_the_next_call() -> None:
    work = Work()
    coalesced = Coalesced[int, int](work, most=100)
    futures = _together(work, coalesced, [1, 2, 3, 4])
    assert [future.result() for future in futures] == [2, 4, 6, 8]
    assert work.calls[0] == [1]
    assert sorted(work.calls[1]) == [2, 3, 4]
    assert len(work.calls) == 2


def test_a_call_has_no_more_items_than_allowed() -> None:
    work = Work()
    coalesced = Coalesced[int, int](work, most=2)
    futures = _together(work, coalesced, [1, 2, 3, 4, 5, 6])
    assert [future.result() for future in futures] == [2, 4, 6, 8, 10, 12]
    assert [len(call) for call in work.calls] == [1, 2, 2, 1]


def test_an_error_is_of_its_own_item() -> None:
    work = Work()
    coalesced = Coalesced[int, int](work, most=100)
    futures = _together(work, coalesced, [1, -2, 3])
    assert futures[0].result() == 2
    with pytest.raises(ValueError, match="-2"):
        futures[1].result()
    assert futures[2].result() == 6


@pytest.mark.parametrize("error", [OSError("away"), KeyError("gone")])
def test_what_the_work_raises_is_raised_to_every_caller(error: Exception) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        begun.set()
        assert go_on.wait(10)
        raise error

    coalesced = Coalesced[int, int](work, most=10)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(coalesced, 1)]
        assert begun.wait(10)
        futures += [pool.submit(coalesced, number) for number in (2, 3)]
        _waiting(coalesced, 2)
        go_on.set()
    assert [type(future.exception()) for future in futures] == [type(error)] * 3


def test_it_goes_on_after_an_error() -> None:
    def work(items: Sequence[int]) -> Sequence[int]:
        return [1 // item for item in items]

    coalesced = Coalesced[int, int](work, most=10)
    with pytest.raises(ZeroDivisionError):
        coalesced(0)
    assert coalesced(1) == 1


def test_nobody_waits_for_ever_when_the_process_is_told_to_end() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            begun.set()
            assert go_on.wait(10)
            raise SystemExit
        return items

    coalesced = Coalesced[int, int](work, most=10)

    def leading() -> None:
        with pytest.raises(SystemExit):
            coalesced(1)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(leading)
        assert begun.wait(10)
        second = pool.submit(coalesced, 2)
        _waiting(coalesced, 1)
        go_on.set()
    first.result()
    assert second.result() == 2


def test_hundreds_of_threads() -> None:
    calls = 0

    def work(items: Sequence[int]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        return [item * item for item in items]

    coalesced = Coalesced[int, int](work, most=16)
    square: Callable[[int], int] = coalesced
    with ThreadPoolExecutor(50) as pool:
        assert list(pool.map(square, range(2000))) == [number * number for number in range(2000)]
    assert 2000 / 16 <= calls <= 2000


def test_who_comes_alone_goes_at_once_and_who_waits_goes_with_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is what the calls say it is: each takes a second of the three that lie between two."""
    clock, slept = [100.0], list[float]()
    work = Work()
    monkeypatch.setattr(coalescing, "_nobody_waits", False)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds
        if seconds:
            late.append(pool.submit(coalesced, 9))
            _waiting(coalesced, 3)

    monkeypatch.setattr(coalescing, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    pool, late = ThreadPoolExecutor(2), list[Future[int]]()
    coalesced = Coalesced[int, int](work, most=100, every=3.0, unhurried=9.0)
    futures = _together(work, coalesced, [1, 2, 3], clock)
    assert [future.result() for future in [*futures, *late]] == [2, 4, 6, 18]
    assert slept == [2.0]
    assert sorted(work.calls[1]) == [2, 3, 9]
    assert coalesced(5) == 10
    assert slept == [2.0]
    pool.shutdown()


def test_where_nobody_waits_one_alone_lets_others_join(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first after a while goes at once; the next one waits out the unhurried time."""
    clock, calls = [100.0], list[Sequence[int]]()

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if seconds:
            late.append(pool.submit(coalesced, 9))
            _waiting(coalesced, 2)

    def work(items: Sequence[int]) -> Sequence[int]:
        calls.append(list(items))
        return items

    monkeypatch.setattr(coalescing, "_nobody_waits", False)
    coalescing.nobody_waits()
    monkeypatch.setattr(coalescing, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    late = list[Future[int]]()
    coalesced = Coalesced[int, int](work, most=100, every=1.0, unhurried=3.0)
    with ThreadPoolExecutor(1) as pool:
        assert coalesced(1) == 1
        clock[0] += 1
        assert coalesced(2) == 2
    assert [future.result() for future in late] == [9]
    assert calls == [[1], [2, 9]]
    assert clock[0] == 103.0


def test_a_leader_that_is_told_to_end_before_its_call_leaves_the_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sleep(seconds: float) -> None:
        raise SystemExit

    monkeypatch.setattr(coalescing, "_nobody_waits", True)
    coalesced = Coalesced[int, int](lambda items: items, most=10, every=3.0)
    with monkeypatch.context() as patch:
        patch.setattr(coalescing, "time", SimpleNamespace(monotonic=lambda: 100.0, sleep=sleep))
        with pytest.raises(SystemExit):
            coalesced(1)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(coalesced, 2).result(timeout=10) == 2
