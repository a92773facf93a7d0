"""Starts, finds and stops the processes of a run.

A process id alone does not identify a process, because the system reuses ids. So every process of a run has
the state directory in its environment (``environment.MARKER``), and its children inherit it. Only processes
with that mark are stopped, and all of them can be found.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor.environment import MARKER


async def start(
    argv: Sequence[str], environment: Mapping[str, str], log: Path, directory: Path = ROOT
) -> asyncio.subprocess.Process:
    """Starts a program in a session of its own. Its output is appended to the log.

    Raises:
        OSError: the program cannot be started.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environment),
            cwd=directory,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )


def signal_group(leader: int, number: signal.Signals) -> None:
    """Signals a program that :func:`start` started and all its children, even if the program has ended.

    Call this only while the leader has not been waited for or its children live, because the system may give
    its id to another process afterwards.
    """
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        # macOS answers EPERM for a group of zombies.
        return


def marked(state: StateDir) -> list[psutil.Process]:
    """The living processes of the run in this directory, except the caller."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARKER) == str(state.root):
                found.append(process)
        except psutil.Error:  # The process has ended, or belongs to another user.
            continue
    return found


def stop_marked(state: StateDir, patience_seconds: float = 5) -> int:
    """Stops the processes of an earlier run; kills those that still live after ``patience_seconds``.

    Returns how many there were.
    """
    stopped: set[int] = set()
    deadline = time.monotonic() + patience_seconds
    while left := marked(state):
        stopped.update(process.pid for process in left)
        for process in left:
            try:
                process.terminate() if time.monotonic() < deadline else process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=1)
    return len(stopped)


def holder_of(port: int) -> str:
    """Names the program that listens on a port, for a message: "java, pid 123", or "another program"."""
    try:
        for connection in psutil.net_connections("tcp"):
            # An address is a pair, or empty.
            here = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if here and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}"
    except psutil.Error:
        pass
    return "another program"
