"""Limits how often something is asked for, with a token bucket for each key.

The buckets are in the memory of one process. With several instances of a function, as many times the limit
is possible. That is close enough to keep one link from using up the search server, and a request costs no
write in the database.
"""

from __future__ import annotations

import math
import threading
import time

from shared.errors import TooMany

#: Keys that are remembered, at most. A key that is forgotten has a full bucket again.
_MOST = 10_000


class Buckets:
    """Thread-safe. ``burst``: requests at once. ``per_second``: requests in the long run."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        #: When the bucket is full again, on the clock of time.monotonic, for each key.
        self._full_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Notes a request. Raises TooMany when there were too many lately."""
        now = time.monotonic()
        with self._lock:
            if len(self._full_at) >= _MOST:
                # Keeps the emptiest half: somebody may make up keys, one request each.
                emptiest = sorted(self._full_at.items(), key=lambda each: each[1])[-_MOST // 2 :]
                self._full_at = {each: at for each, at in emptiest if at > now}
            full_at = max(self._full_at.get(key, now), now) + 1 / self._per_second
            wait = full_at - now - self._burst / self._per_second
            if wait > 0:
                raise TooMany("Too many requests. Wait a moment.", math.ceil(wait))
            self._full_at[key] = full_at
