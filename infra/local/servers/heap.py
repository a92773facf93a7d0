"""How full the memory of the Firestore emulator is, in which it keeps all documents.

Without memory the emulator dies, and its restart loads the last save. So a person is told before.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

#: A complete garbage collection: megabytes before and after it.
_COLLECTED = re.compile(r"Pause Full \([^)]*\) \d+M->(\d+)M\(")
#: Percent of the memory at which a person is told.
_LEVELS = (90, 75)
_EVERY_SECONDS = 5.0


def used_mb(gc_log: Path) -> int | None:
    """Megabytes in use after the last complete collection. None before the first one.

    Java needs no complete collection while there is room to grow, so None means that there is plenty.
    """
    with contextlib.suppress(OSError):
        found = _COLLECTED.findall(gc_log.read_text(encoding="utf-8", errors="replace"))
        return int(found[-1]) if found else None
    return None


class MemoryWatch:
    """Tells a person once at each level, until it is cancelled."""

    def __init__(
        self, gc_log: Path, limit_mb: int, say: Callable[[str], None], every: float = _EVERY_SECONDS
    ) -> None:
        self._gc_log, self._limit_mb, self._say, self._every = gc_log, limit_mb, say, every
        self._told = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            self.look()

    def look(self) -> None:
        used = used_mb(self._gc_log) or 0
        level = next((level for level in _LEVELS if 100 * used >= level * self._limit_mb), 0)
        if level > self._told:
            self._say(
                f"The library fills {used:,} of {self._limit_mb:,} MB that the Firestore emulator may use."
                " When that is full, the emulator is started again from its last save."
                " Start the run with a larger FIRESTORE_MEMORY_MB."
            )
        self._told = level
