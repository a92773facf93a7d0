"""What processes use, their children included: processor time and memory."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from tests.stack import Stack


def seconds(*pids: int) -> float:
    """Of all of them, in user and system mode, since they began."""
    total = 0.0
    for pid in pids:
        for process in _family(pid):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def seconds_of(stack: Stack) -> dict[str, float]:
    """Processor seconds of each component, so far."""
    return {name: seconds(pid) for name, pid in _pids(stack)}


def megabytes_of(stack: Stack) -> dict[str, float]:
    """Memory of each component. Proportional: what several processes share counts once."""
    return {
        name: sum(process.memory_full_info().pss for process in _family(pid)) / 1e6
        for name, pid in _pids(stack)
    }


def _pids(stack: Stack) -> Iterator[tuple[str, int]]:
    for name, component in stack.components().items():
        if component["pid"]:
            yield name, component["pid"]


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
