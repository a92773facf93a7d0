"""Processes of a run: each in a group of its own, recognised by a mark in their environment.

A pid alone says nothing once its process is gone: the number is given to others. What belongs to a
run carries the run's directory in its environment (``environment.MARKER``), and what it starts in
turn inherits it; so nothing foreign is ever stopped, and nothing of ours is overlooked.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from infra.local.environment import MARKER
from infra.local.state_dir import ROOT, StateDir

# Below what Linux and macOS give to outgoing connections, so that none of those takes a port
# between the moment it is chosen and the moment its server binds it.
_PORTS = range(20000, 32000)


class PortsTaken(RuntimeError):
    """No free port was found."""


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a connection that is still closing does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """So many different free ports of this machine.

    Raises:
        PortsTaken: there are not that many.
    """
    # Starting at a random place keeps two runs that start at once apart.
    offset = int.from_bytes(os.urandom(4), "big") % len(_PORTS)
    found: list[int] = []
    for step in range(len(_PORTS)):
        port = _PORTS[(offset + step) % len(_PORTS)]
        if port_is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PortsTaken(
        f"expected {count} free ports from {_PORTS.start} to {_PORTS.stop - 1}, found {len(found)}"
    )


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
