"""How many exports run at the same time: one a person, and a few in a process.

They are in the memory of one process, as :mod:`shared.web.buckets` are. With several instances, as many times
the limit is possible. That is close enough to leave threads for searches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from shared.errors import TooMany, Transient

#: Of sixteen threads. An export reads a few videos at a time, so searches come between.
_AT_ONCE = 4
#: Seconds. A client that has taken nothing for so long has stopped, or is gone without a word.
_STALLED = 60.0


class Turn:
    """One export. It has to be ended."""

    def __init__(self) -> None:
        self.moved_at = time.monotonic()
        self.over = False

    def watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces. Raises Transient when somebody else has got the turn, because nobody took a piece."""
        for piece in pieces:
            if self.over:
                raise Transient("The export stood still for too long.")
            self.moved_at = time.monotonic()
            yield piece
            self.moved_at = time.monotonic()

    def end(self) -> None:
        self.over = True


class Turns:
    """Thread-safe."""

    def __init__(self, at_once: int = _AT_ONCE, stalled: float = _STALLED) -> None:
        self._at_once = at_once
        self._stalled = stalled
        self._lock = threading.Lock()
        self._turns: dict[str, Turn] = {}

    def take(self, user_id: str) -> Turn:
        """Raises TooMany when the user has an export that goes on, or too many others have."""
        now = time.monotonic()
        with self._lock:
            for turn in self._turns.values():
                if now - turn.moved_at >= self._stalled:
                    turn.end()
            self._turns = {user: turn for user, turn in self._turns.items() if not turn.over}
            if user_id in self._turns:
                raise TooMany("Another export of yours is still running. Try again when it has ended.", 5)
            if len(self._turns) >= self._at_once:
                raise TooMany("Too many exports are running at the moment. Try again in a minute.", 30)
            turn = self._turns[user_id] = Turn()
            return turn
