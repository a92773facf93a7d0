"""Group commit: concurrent calls of one process are sent as one batch."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class _Call(Generic[T]):
    """One waiting caller, its item, and its result: an error, or None for success."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.done = False
        self.error: Exception | None = None


class Batcher(Generic[T]):
    """Passes the items of concurrent callers to ``work`` in batches, one batch at a time.

    There is no thread for this: one of the waiting callers sends the batch for all.

    ``work`` returns an error, or None, for each item in their order. The error is raised to the caller of its
    item. An exception of ``work`` is raised to all callers of the batch, to each as an object of its own.
    ``work`` has to bound its own time.

    Args:
        max_items: the most items in a batch.
        interval: seconds between the starts of two batches, unless ``max_items`` are waiting already.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[Exception | None]],
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
        self._waiting: list[_Call[T]] = []

    def __call__(self, item: T) -> None:
        call = _Call(item)
        with self._changed:
            self._waiting.append(call)
        while self._must_send(call):
            self._send()
        if call.error is not None:
            raise call.error

    def _must_send(self, call: _Call[T]) -> bool:
        """Waits for the result, or for the turn to send the next batch; True for the turn."""
        with self._changed:
            self._changed.wait_for(lambda: call.done or not self._sending)
            if not call.done:
                self._sending = True
            return not call.done

    def _send(self) -> None:
        batch: list[_Call[T]] = []
        errors: Sequence[Exception | None] = ()
        try:
            if len(self._waiting) < self._max_items:
                self._sleep(max(0.0, self._started + self._interval - self._monotonic()))
            self._started = self._monotonic()
            with self._changed:
                batch, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
            errors = self._work([call.item for call in batch])
        except Exception as error:
            errors = [_copy_of(error) for _ in batch]
        finally:
            # Also on SystemExit: no other thread is left waiting.
            with self._changed:
                for number, call in enumerate(batch):
                    call.error = (
                        errors[number] if number < len(errors) else RuntimeError("the batch was aborted")
                    )
                    call.done = True
                self._sending = False
                self._changed.notify_all()


def _copy_of(error: Exception) -> Exception:
    """An error object that is raised in several threads would collect all their tracebacks."""
    made = copy.copy(error)
    made.__cause__ = error.__cause__
    return made
