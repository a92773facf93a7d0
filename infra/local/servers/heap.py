"""The memory of the Firestore emulator, in which it keeps all documents: how much it gets, how full it is.

A save needs as much memory as the documents once more, for a moment. So the most that was ever in use counts,
and the documents themselves fill about half of that.

Without memory the emulator collects garbage for a minute or more, answers nothing, and ends. Its restart
loads the last save. So a person is told before, and from :data:`FULL_PERCENT` on nothing more is fetched: a
file says so, at which the functions and the delivery look.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from pathlib import Path

import psutil

from infra.local.state_dir import StateDir, write_whole

#: A complete garbage collection: megabytes before and after it.
_COLLECTED = re.compile(r"Pause Full \([^)]*\) \d+M->(\d+)M\(")
#: Percent of the memory at which a person is told, and from which on nothing more is fetched. What is left is
#: for what was begun, and for what comes between two saves.
TOLD_PERCENT, FULL_PERCENT = 65, 80
_EVERY_SECONDS = 2.0
#: The part of the machine's memory that the emulator may use, and its bounds in megabytes.
_SHARE, _LEAST, _MOST = 3, 1024, 4096
#: The limit of a container (https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files).
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def suitable_mb(total: int | None = None, cgroup: Path = _CGROUP) -> int:
    """Megabytes that suit this machine: a third of its memory. ``total``: its bytes; None: as it says."""
    limits = [total or psutil.virtual_memory().total]
    with contextlib.suppress(OSError, ValueError):
        limits.append(int(cgroup.read_text(encoding="ascii")))
    return max(_LEAST, min(_MOST, min(limits) // _SHARE // 2**20))


def most_used_mb(gc_log: Path) -> int:
    """The most megabytes that were in use after a complete collection. 0 before the first one.

    Java needs no complete collection while there is room to grow, so 0 means that there is plenty.
    """
    with contextlib.suppress(OSError):
        found = _COLLECTED.findall(gc_log.read_text(encoding="utf-8", errors="replace"))
        return max(map(int, found), default=0)
    return 0


def does_not_fit(limit_mb: int) -> str:
    """The sentence for people when the emulator has ended because its memory was full."""
    return (
        f"The library does not fit into {limit_mb:,} MB of memory. Its last save is kept. {_larger(limit_mb)}"
    )


def _larger(limit_mb: int) -> str:
    return (
        "Stop the run and start it with more:"
        f" ./emulators.sh down && FIRESTORE_MEMORY_MB={2 * limit_mb} ./emulators.sh up"
    )


class MemoryWatch:
    """Tells a person once when the memory fills, and once when it is full, until it is cancelled.

    From then on, the file :attr:`StateDir.full` says so, until the run is started again. Otherwise it would
    be full and have room by turns: with each save, and with each restart of the emulator.
    """

    def __init__(
        self, state: StateDir, limit_mb: int, say: Callable[[str], None], every: float = _EVERY_SECONDS
    ) -> None:
        self._state, self._limit_mb, self._say, self._every = state, limit_mb, say, every
        self._told = False
        state.full.unlink(missing_ok=True)

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(self._every)

    def look(self) -> None:
        used = most_used_mb(self._state.gc_log)
        percent = 100 * used / self._limit_mb
        fills = f"The library fills {used:,} of {self._limit_mb:,} MB of memory"
        if percent >= FULL_PERCENT and not self._state.full.exists():
            full = f"{fills}, so nothing more is fetched. It can be searched. {_larger(self._limit_mb)}"
            write_whole(self._state.full, full)
            self._say(full)
        elif percent >= TOLD_PERCENT and not self._told:
            self._say(f"{fills}. At {FULL_PERCENT} % nothing more is fetched. {_larger(self._limit_mb)}")
        self._told |= percent >= TOLD_PERCENT
