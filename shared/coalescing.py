"""Concurrent calls of one process become one call: group commit.

While one call is under way, the others of the process wait, and go together in the next. So what is
sent grows by itself when much happens, and nothing is delayed when little does. Where a call costs
much and a moment little, those that wait may be let wait a moment longer, for more to come; and where
nobody waits for the process, so may one that comes alone. Each caller gets the answer, or the error, of
its own item.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_nobody_waits = False


def nobody_waits() -> None:
    """Says that no person waits for what this process does: who comes alone then waits for company, too.

    A person's request asks one thing after the other, and each would be waited for.
    """
    global _nobody_waits
    _nobody_waits = True


def _copy_of(error: Exception) -> Exception:
    """For each caller an error of its own: an object raised in several threads collects their tracebacks."""
    made = copy.copy(error)
    made.__cause__ = error.__cause__
    return made


class _Caller(Generic[T, R]):
    """One waiting call: woken either with its answer, or to make the next call for all that wait."""

    def __init__(self, item: T) -> None:
        self.item = item
        #: Something comes in to wake it: an Event would do, and take several times as much.
        self.woken = SimpleQueue[None]()
        self.answer: R | Exception | None = None
        self.answered = False


class Coalesced(Generic[T, R]):
    """``work`` takes items and answers with as many answers, in their order; an exception is an answer too.

    What ``work`` raises is raised to every caller of that call. ``work`` bounds its own time: a caller
    waits for one call under way before its own, and for the time between two; for more only if more than
    ``most`` come.

    Args:
        most: items in one call.
        every: seconds from the beginning of a call to that of the next, if some wait for it already.
        unhurried: the same where :func:`nobody_waits`, and for who comes alone, too; if None, ``every``.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        most: int,
        every: float = 0.0,
        unhurried: float | None = None,
    ) -> None:
        self._work = work
        self._most = most
        self._every = every
        self._unhurried = every if unhurried is None else unhurried
        self._began = 0.0
        self._lock = threading.Lock()
        self._busy = False
        self._waiting: list[_Caller[T, R]] = []

    def __call__(self, item: T) -> R:
        caller = _Caller[T, R](item)
        with self._lock:
            self._waiting.append(caller)
            leads, self._busy = not self._busy, True
        if not leads:
            caller.woken.get()
        if not caller.answered:
            self._lead(caller, pause=not leads)
        if isinstance(caller.answer, Exception):
            raise caller.answer
        return caller.answer  # type: ignore[return-value]  # answered: R, which may itself be None

    def _lead(self, leader: _Caller[T, R], *, pause: bool) -> None:
        """Makes the call for all that wait, the leader among them, and hands over to the next leader."""
        callers: list[_Caller[T, R]] = []
        answers: Sequence[R | Exception] = ()
        try:
            if (pause or _nobody_waits) and len(self._waiting) < self._most:
                every = self._unhurried if _nobody_waits else self._every
                time.sleep(max(0.0, self._began + every - time.monotonic()))
            self._began = time.monotonic()
            with self._lock:
                callers, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            answers = self._work([caller.item for caller in callers])
        except Exception as error:
            answers = [_copy_of(error) for _ in callers]
        finally:
            # Also when the process is told to end in here: nobody is left waiting.
            with self._lock:
                if not callers:
                    # Told to end before its call: it cannot lead another one.
                    self._waiting.remove(leader)
                following = self._waiting[0] if self._waiting else None
                self._busy = following is not None
            if following is not None:
                following.woken.put(None)
            missing = RuntimeError("the call that this one was part of was broken off")
            for number, caller in enumerate(callers):
                caller.answer = answers[number] if number < len(answers) else missing
                caller.answered = True
                caller.woken.put(None)
