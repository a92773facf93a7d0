"""Group commit: concurrent calls of one process are sent as one batch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, cast

T = TypeVar("T")
R = TypeVar("R")


class _Call(Generic[T, R]):
    """One waiting caller, its item, and its result or error once there is one."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R | Exception | None = None
        self.done = False


class Batcher(Generic[T, R]):
    """Passes the items of concurrent callers to ``work`` in batches, one batch at a time.

    There is no thread for this: one of the waiting callers sends the batch for all.

    ``work`` returns a result or an error for each item, in their order. The caller of the item gets the
    result, or the error is raised there. An exception of ``work`` is raised to all callers of the batch, to
    each as an object of its own. ``work`` has to bound its own time.

    Args:
        max_items: the most items in a batch.
        interval: seconds between the starts of two batches, unless ``max_items`` are waiting already.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        max_items: int,
        interval: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._work = work
        self._monotonic = monotonic
        self._sleep = sleep
        self._max_items = max_items
        self._interval = interval
        self._started = float("-inf")
        self._changed = threading.Condition()
        self._sending = False
        self._waiting: list[_Call[T, R]] = []

    def __call__(self, item: T) -> R:
        call = _Call[T, R](item)
        with self._changed:
            self._waiting.append(call)
        while self._must_send(call):
            self._send()
        if isinstance(call.result, Exception):
            raise call.result
        return cast(R, call.result)

    def _must_send(self, call: _Call[T, R]) -> bool:
        """Waits for the result, or for the turn to send the next batch; True for the turn."""
        with self._changed:
            self._changed.wait_for(lambda: call.done or not self._sending)
            if not call.done:
                self._sending = True
            return not call.done

    def _send(self) -> None:
        batch: list[_Call[T, R]] = []
        results: Sequence[R | Exception] = ()
        try:
            if len(self._waiting) < self._max_items:
                self._sleep(max(0.0, self._started + self._interval - self._monotonic()))
            self._started = self._monotonic()
            with self._changed:
                batch, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
            results = self._work([call.item for call in batch])
        except Exception as error:
            results = [copy_of(error) for _ in batch]
        finally:
            # Also on SystemExit: no other thread is left waiting.
            with self._changed:
                for number, call in enumerate(batch):
                    call.result = (
                        results[number] if number < len(results) else RuntimeError("the batch was aborted")
                    )
                    call.done = True
                self._sending = False
                self._changed.notify_all()


def copy_of(error: Exception) -> Exception:
    """An error like this one. If one is raised in several threads, it collects all their tracebacks."""
    # Not copy.copy: it calls the class with the arguments of Exception, and some classes take others.
    made = type(error).__new__(type(error), *error.args)
    made.__dict__.update(error.__dict__)
    made.__cause__ = error.__cause__
    return made
