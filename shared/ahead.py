"""The next while one works on the last: a sequence that is made one item ahead."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from typing import TypeVar

from shared import clients

T = TypeVar("T")


def ahead(items: Iterator[T], name: str) -> Iterator[T]:
    """The same items; each is made while the caller works on the one before, in a thread called ``name``.

    What making one raises is raised where that one would come. Who stops early waits for the one under way.
    """
    with ThreadPoolExecutor(1, name) as maker:

        def following() -> Future[list[T]]:
            context = copy_context()
            return maker.submit(lambda: context.run(lambda: list(islice(items, 1))))

        try:
            asked = following()
            while made := asked.result():
                asked = following()
                yield made[0]
        finally:
            maker.submit(clients.close_of_thread)
