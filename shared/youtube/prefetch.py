"""Prefetching: the next item of an iterator is produced while the caller works on the current one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T], name: str) -> Iterator[T]:
    """Yields the same items, and produces one item ahead of the caller, in a thread called ``name``.

    The first item is produced in the caller's thread. An exception is raised when its item is consumed. If
    the caller stops early, closing this generator waits for the item being produced. Each item after the
    first sees a copy of the caller's context variables, so log lines carry the caller's fields.
    """
    current = list(islice(items, 1))
    with ThreadPoolExecutor(1, name) as thread:

        def produce() -> Future[list[T]]:
            context = copy_context()
            return thread.submit(lambda: context.run(lambda: list(islice(items, 1))))

        try:
            while current:
                following = produce()
                yield current[0]
                current = following.result()
        finally:
            # In the thread, because an iterator that is producing an item there cannot be closed from here.
            thread.submit(getattr(items, "close", lambda: None))
