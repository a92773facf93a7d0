"""A value that is made at its first use, once a process, and may be forgotten when it is not used."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Timer
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Calls ``make`` at the first call and keeps the result for all threads. An error is not kept."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = Lock()
        self._made: tuple[T] | None = None

    def __call__(self) -> T:
        with self._lock:
            return self._get()

    def _get(self) -> T:
        """Called with the lock."""
        if self._made is None:
            self._made = (self._make(),)
        return self._made[0]


class Kept(Lazy[T]):
    """Forgets the result when nobody has asked for it for ``seconds``, so that its memory is free.

    The next call makes it again. A thread waits for the time to pass while there is a result.
    """

    def __init__(self, make: Callable[[], T], seconds: float) -> None:
        super().__init__(make)
        self._seconds = seconds
        self._asked_at = 0.0

    def _get(self) -> T:
        is_new = self._made is None
        made = super()._get()
        # Before the lock is free, so that nothing is forgotten that has just been asked for.
        self._asked_at = monotonic()
        if is_new:
            self._look_after(self._seconds)
        return made

    def _look_after(self, seconds: float) -> None:
        timer = Timer(seconds, self._look)
        timer.daemon = True
        timer.start()

    def _look(self) -> None:
        with self._lock:
            if (left := self._asked_at + self._seconds - monotonic()) > 0:
                self._look_after(left)
            else:
                self._made = None
