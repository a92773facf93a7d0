"""A lazy value: made at its first use, once for all threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from shared.lazy import Lazy


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
