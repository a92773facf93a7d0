"""Concurrent calls of one process become one batch, and each caller gets the result of its own item."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.gcp.batching import Batcher

IntBatcher = Batcher[int, None]
Work = Callable[[Sequence[int]], Sequence[Exception | None]]


class HeldWork:
    """Refuses negative numbers. The first batch is held until the test lets it go."""

    def __init__(self, work: Work | None = None) -> None:
        self.batches: list[list[int]] = []
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self._work = work or (lambda items: [ValueError(str(item)) if item < 0 else None for item in items])

    def __call__(self, items: Sequence[int]) -> Sequence[Exception | None]:
        self.batches.append(list(items))
        if len(self.batches) == 1:
            self.begun.set()
            assert self.go_on.wait(10)
        return self._work(items)


def _until_waiting(batcher: IntBatcher, number: int) -> None:
    """Returns when so many calls wait for the batch that is being sent."""
    pause = threading.Event()
    while len(batcher._waiting) < number:
        pause.wait(0.001)


def _behind_the_first(work: HeldWork, batcher: IntBatcher, items: Sequence[int]) -> list[Future[None]]:
    """Calls with all items: the first is being sent while the others come and wait."""
    with ThreadPoolExecutor(len(items)) as pool:
        futures = [pool.submit(batcher, items[0])]
        assert work.begun.wait(10)
        futures += [pool.submit(batcher, item) for item in items[1:]]
        _until_waiting(batcher, len(items) - 1)
        work.go_on.set()
    return futures


def test_waiting_items_are_the_next_batch() -> None:
    work = HeldWork()
    futures = _behind_the_first(work, Batcher(work, max_items=100, interval=0), [1, 2, 3, 4])
    assert [future.exception() for future in futures] == [None] * 4
    assert [sorted(batch) for batch in work.batches] == [[1], [2, 3, 4]]


def test_a_batch_has_no_more_items_than_allowed() -> None:
    work = HeldWork()
    futures = _behind_the_first(work, Batcher(work, max_items=2, interval=0), [1, 2, 3, 4, 5, 6])
    assert [future.exception() for future in futures] == [None] * 6
    assert [len(batch) for batch in work.batches] == [1, 2, 2, 1]
    assert sorted(item for batch in work.batches for item in batch) == [1, 2, 3, 4, 5, 6]


def test_an_error_is_raised_to_the_caller_of_its_item() -> None:
    work = HeldWork()
    futures = _behind_the_first(work, Batcher(work, max_items=100, interval=0), [1, -2, 3])
    assert [type(future.exception()) for future in futures] == [type(None), ValueError, type(None)]
    assert str(futures[1].exception()) == "-2"


class Peculiar(Exception):
    """Takes other arguments than those of Exception."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status} {reason}")
        self.status = status


@pytest.mark.parametrize("error", [OSError("away"), KeyError("gone"), Peculiar(400, "refused")])
def test_an_error_of_the_whole_batch_is_raised_to_each_caller_as_its_own_object(error: Exception) -> None:
    def fail(items: Sequence[int]) -> Sequence[None]:
        raise error from ValueError("the cause")

    work = HeldWork(fail)
    futures = _behind_the_first(work, Batcher(work, max_items=10, interval=0), [1, 2, 3])
    errors = [future.exception() for future in futures]
    assert [(type(each), each.args) for each in errors if each] == [(type(error), error.args)] * 3
    assert [vars(each) for each in errors if each] == [vars(error)] * 3
    assert [repr(each.__cause__) for each in errors if each] == ["ValueError('the cause')"] * 3
    assert len({id(each) for each in errors}) == 3


def test_each_caller_gets_the_result_of_its_item() -> None:
    batcher = Batcher[int, str](lambda items: [f"<{item}>" for item in items], max_items=10, interval=0)
    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(batcher, range(200))) == [f"<{number}>" for number in range(200)]


def test_a_result_that_is_missing_is_an_error() -> None:
    batcher = IntBatcher(lambda items: [], max_items=10, interval=0)
    with pytest.raises(RuntimeError):
        batcher(1)


def test_batches_go_on_after_an_error() -> None:
    def work(items: Sequence[int]) -> Sequence[None]:
        if 0 in items:
            raise ZeroDivisionError
        return [None for _ in items]

    batcher = IntBatcher(work, max_items=10, interval=0)
    with pytest.raises(ZeroDivisionError):
        batcher(0)
    batcher(1)


def test_no_caller_waits_forever_when_the_process_is_told_to_end() -> None:
    def end(items: Sequence[int]) -> Sequence[None]:
        if 1 in items:
            raise SystemExit
        return [None for _ in items]

    work = HeldWork(end)
    first, second = _behind_the_first(work, Batcher(work, max_items=10, interval=0), [1, 2])
    assert isinstance(first.exception(), SystemExit)
    assert second.exception() is None


def test_hundreds_of_threads() -> None:
    seen: list[int] = []

    def work(items: Sequence[int]) -> Sequence[Exception | None]:
        seen.extend(items)
        return [ValueError(str(item)) if item % 3 == 0 else None for item in items]

    batcher = IntBatcher(work, max_items=16, interval=0)
    with ThreadPoolExecutor(50) as pool:
        futures = [pool.submit(batcher, number) for number in range(2000)]
    for number, future in enumerate(futures):
        assert (str(future.exception()) == str(number)) is (number % 3 == 0)
    assert sorted(seen) == list(range(2000))


class _Clock:
    """The time that the batcher sees. ``on_sleep`` is called while it sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    def batcher(self, work: Work, max_items: int) -> IntBatcher:
        return Batcher(work, max_items, 3.0, monotonic=lambda: self.now, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        if seconds:
            self.slept.append(seconds)
            self.now += seconds
            self.on_sleep()


def test_two_batches_start_an_interval_apart_and_the_second_takes_the_calls_in_between() -> None:
    clock, batches, late = _Clock(), list[list[int]](), list[Future[None]]()

    def work(items: Sequence[int]) -> Sequence[None]:
        batches.append(list(items))
        return [None for _ in items]

    batcher = clock.batcher(work, max_items=100)
    with ThreadPoolExecutor(1) as pool:

        def another_comes() -> None:
            late.append(pool.submit(batcher, 9))
            _until_waiting(batcher, 2)

        clock.on_sleep = another_comes
        batcher(1)
        assert clock.slept == [], "the first is sent at once"
        clock.now += 1
        batcher(2)
    assert [future.exception() for future in late] == [None]
    assert (batches, clock.slept) == ([[1], [2, 9]], [2.0])
    clock.now += 4
    batcher(3)
    assert clock.slept == [2.0], "after a longer time, too"


def test_a_full_batch_does_not_wait() -> None:
    clock, work = _Clock(), HeldWork()
    _behind_the_first(work, clock.batcher(work, max_items=3), [1, 2, 3, 4])
    assert [sorted(batch) for batch in work.batches] == [[1], [2, 3, 4]]
    assert clock.slept == []


def test_a_caller_that_ends_before_it_sends_leaves_the_turn_to_others() -> None:
    def end() -> None:
        raise SystemExit

    clock = _Clock()
    batcher = clock.batcher(lambda items: [None for _ in items], max_items=10)
    batcher(0)
    clock.on_sleep = end
    with pytest.raises(SystemExit):
        batcher(1)
    clock.on_sleep = lambda: None
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(batcher, 2).exception(timeout=10) is None
