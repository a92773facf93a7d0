"""Prefetching: the items come in order, errors in their place, and no thread is left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from itertools import count

import pytest

from shared.youtube.prefetch import prefetch

_NAME = "prefetch-of-a-test"
_SECONDS = 10


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(_NAME)]


def test_the_items_are_the_same() -> None:
    assert list(prefetch(iter([1, None, 0, "last"]), _NAME)) == [1, None, 0, "last"]
    assert list(prefetch(iter([]), _NAME)) == []
    assert _threads() == []


def test_the_next_item_is_produced_before_it_is_asked_for() -> None:
    second = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second.set()
        yield 2

    made = prefetch(items(), _NAME)
    assert next(made) == 1
    assert second.wait(_SECONDS)
    assert list(made) == [2]


def test_only_one_item_is_produced_ahead() -> None:
    made = count(1)
    items = prefetch(iter(made), _NAME)
    assert [next(items) for _ in range(3)] == [1, 2, 3]
    items.close()  # type: ignore[attr-defined]  # a generator
    assert next(made) == 5


def test_an_error_comes_in_its_place() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    found: list[int] = []
    with pytest.raises(ValueError, match="the third"):
        found.extend(prefetch(items(), _NAME))
    assert found == [1, 2]
    assert _threads() == []


def test_a_caller_that_stops_early_leaves_nothing_running() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from count()
        finally:
            closed.set()

    for item in prefetch(items(), _NAME):
        if item == 2:
            break
    assert closed.wait(_SECONDS)
    assert _threads() == []


def test_a_caller_that_stops_waits_for_the_item_being_produced() -> None:
    begun, released, closed = threading.Event(), threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        try:
            yield 1
            begun.set()
            assert released.wait(_SECONDS)
            yield 2
        finally:
            closed.set()

    made = prefetch(items(), _NAME)
    assert next(made) == 1
    assert begun.wait(_SECONDS)
    threading.Timer(0.1, released.set).start()
    made.close()  # type: ignore[attr-defined]  # a generator
    assert closed.is_set()
    assert _threads() == []


def test_items_see_the_context_of_the_caller() -> None:
    said = ContextVar("said", default="nothing")

    def items() -> Iterator[str]:
        yield said.get()
        yield said.get()

    said.set("the caller's")
    assert list(prefetch(items(), _NAME)) == ["the caller's"] * 2
