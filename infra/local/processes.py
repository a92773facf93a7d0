"""Processes of a run: each in a group of its own, recognised by a mark in their environment.

A pid alone says nothing once its process is gone: the number is given to others. What belongs to a
run carries the run's directory in its environment (``environment.MARKER``), and what it starts in
turn inherits it; so nothing foreign is ever stopped, and nothing of ours is overlooked.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.local.environment import MARKER
from infra.local.state_dir import ROOT, StateDir


async def start(argv: Sequence[str], environment: Mapping[str, str], log: Path) -> asyncio.subprocess.Process:
    """Starts a program as the leader of its own session; its output is appended to the log.

    Raises:
        OSError: it cannot be started.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *argv,
            env=dict(environment),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )


def signal_group(leader: int, number: signal.Signals) -> None:
    """To a program started by :func:`start` and all it started, also when it is gone itself.

    Only for a leader that we have not waited for yet, or whose group lives on: its pid cannot have
    been given to anybody else then.
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
        except psutil.Error:  # gone meanwhile, or somebody else's
            continue
    return found


def stop_marked(state: StateDir, patience_seconds: float = 5) -> int:
    """Stops what an earlier run left behind; how many processes that were."""
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
    """Who listens on a port, for a message; a guess where the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            # An address is a pair, or empty.
            here = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
            if here and connection.pid:
                return f"{psutil.Process(connection.pid).name()}, pid {connection.pid}"
    except psutil.Error:
        pass
    return "another program"
