"""Processor time and memory of processes and their children."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
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


def mapped_megabytes(stack: Stack) -> dict[str, float]:
    """Of :func:`megabytes`, what is a copy of files. The system drops it when others need the memory."""
    return {name: sum(_mapped(each.pid) for each in _family(pid)) for name, pid in pids(stack).items()}


def _mapped(pid: int) -> float:
    """0 where the system does not say (https://docs.kernel.org/filesystems/proc.html)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("Pss_File:"))


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
