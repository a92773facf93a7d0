"""Processor seconds of processes, their children included."""

from __future__ import annotations

import psutil


def seconds(*pids: int) -> float:
    """Of all of them, in user and system mode, since they began."""
    total = 0.0
    for pid in pids:
        for process in (parent := psutil.Process(pid), *parent.children(recursive=True)):
            times = process.cpu_times()
            total += times.user + times.system
    return total
