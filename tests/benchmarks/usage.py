"""Processor time and memory of processes and their children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import psutil

from tests.stack import Stack

T = TypeVar("T")


def seconds(*pids: int) -> float:
    """Processor seconds of all these processes since they began, in user and system mode."""
    total = 0.0
    for pid in pids:
        for process in _family(pid):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def spent(pids_of: Callable[[], Mapping[str, int]], work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    """Calls ``work``. Returns its result, and the processor seconds that each process spent meanwhile.

    Raises:
        RuntimeError: a process was restarted.
    """
    processes = dict(pids_of())
    before = {name: seconds(pid) for name, pid in processes.items()}
    answer = work()
    if changed := set(processes.items()) ^ set(pids_of().items()):
        raise RuntimeError(f"expected the same processes all the time, found others: {sorted(changed)}")
    return answer, {name: seconds(pid) - before[name] for name, pid in processes.items()}


def pids(stack: Stack) -> dict[str, int]:
    """The pids of the components that the run has started, by name."""
    return {name: each["pid"] for name, each in stack.components().items() if each["pid"]}


def megabytes(stack: Stack) -> dict[str, float]:
    """Memory of each component. Memory that several processes share counts once (proportional set size)."""
    return {
        name: sum(process.memory_full_info().pss for process in _family(pid)) / 1e6
        for name, pid in pids(stack).items()
    }


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
