"""A lazy value: made at its first use, once for all threads."""

from __future__ import annotations

import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.lazy import Kept, Lazy


def test_nothing_is_made_before_the_first_use() -> None:
    made: list[str] = []
    value = Lazy(lambda: made.append("made"))
    assert made == []
    value()
    value()
    assert made == ["made"]


def test_none_is_a_value() -> None:
    answers = iter([None, "again"])
    value = Lazy(lambda: next(answers))
    assert (value(), value()) == (None, None)


def test_threads_that_come_at_once_get_the_same_value() -> None:
    value, begin = Lazy(object), Barrier(8)

    def use(_: int) -> object:
        begin.wait(10)
        return value()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(use, range(8)))) == 1


def test_an_error_is_not_kept() -> None:
    answers = iter([0, 1])
    value = Lazy(lambda: 1 // next(answers))
    with pytest.raises(ZeroDivisionError):
        value()
    assert value() == 1


class _Value:
    pass


def _wait_until_gone(value: weakref.ref[_Value]) -> None:
    deadline = time.monotonic() + 30
    while value() is not None:
        assert time.monotonic() < deadline, "expected the value to be forgotten"
        time.sleep(0.01)


def test_what_nobody_asks_for_any_more_is_forgotten_and_made_again() -> None:
    value = Kept(_Value, 0.05)
    for _ in range(2):
        _wait_until_gone(weakref.ref(value()))


def test_what_is_asked_for_is_kept() -> None:
    value, seconds = Kept(_Value, 0.4), 0.4
    asked = weakref.ref(value())
    end = 2 * seconds + (asked_at := time.monotonic())
    while (now := time.monotonic()) < end:
        again = value()
        # A busy machine may have let the time pass between two questions.
        assert again is asked() or time.monotonic() - asked_at >= seconds
        asked, asked_at = weakref.ref(again), now
        del again
    _wait_until_gone(asked)


def test_an_error_of_a_value_that_is_forgotten_is_not_kept() -> None:
    answers = iter([0, 1])
    value = Kept(lambda: 1 // next(answers), 60)
    with pytest.raises(ZeroDivisionError):
        value()
    assert value() == 1
