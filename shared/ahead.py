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

    The first is made by the caller. What making one raises is raised where that one would come, and never if
    nobody asks for it. Who stops early waits for the one under way. Each further one is made in a copy of the
    caller's context: what ``items`` sets in there ends with the item.
    """
    made = list(islice(items, 1))
    with ThreadPoolExecutor(1, name) as maker:

        def following() -> Future[list[T]]:
            context = copy_context()
            return maker.submit(lambda: context.run(lambda: list(islice(items, 1))))

        try:
            while made:
                asked = following()
                yield made[0]
                made = asked.result()
        finally:
            # There, after the one under way; and not left to whoever collects it: it may have threads itself.
            maker.submit(getattr(items, "close", lambda: None))
            maker.submit(clients.close_of_thread)
