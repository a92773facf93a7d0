"""infra/local/supervisor/processes.py: finding and stopping the processes that a killed run left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.local.state_dir import StateDir
from infra.local.supervisor import processes
from infra.local.supervisor.environment import MARKER

SLEEP = "import time; time.sleep(120)"
#: Starts a child that ignores SIGTERM, prints its pid, and sleeps.
PARENT = (
    "import subprocess, sys, time\n"
    "stubborn = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print(1, flush=True); time.sleep(120)'\n"
    "child = subprocess.Popen([sys.executable, '-c', stubborn], stdout=subprocess.PIPE)\n"
    "child.stdout.readline(); print(child.pid, flush=True); time.sleep(120)\n"
)

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str = SLEEP, marker: str | None = None) -> subprocess.Popen[str]:
        environment = {**os.environ, **({MARKER: marker} if marker else {})}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def test_only_processes_with_the_mark_of_the_run_are_stopped(start: Start, tmp_path: Path) -> None:
    state, other = StateDir(tmp_path / "one"), StateDir(tmp_path / "two")
    ours, foreign, unmarked = start(marker=str(state.root)), start(marker=str(other.root)), start()
    assert processes.stop_marked(state) == 1
    assert not psutil.pid_exists(ours.pid)
    assert foreign.poll() is None
    assert unmarked.poll() is None


def test_children_inherit_the_mark_and_are_killed_if_they_ignore_sigterm(
    start: Start, tmp_path: Path
) -> None:
    state = StateDir(tmp_path)
    parent = start(PARENT, marker=str(state.root))
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    # The parent is killed, as by kill -9. The child still belongs to the run.
    parent.kill()
    parent.wait()
    assert processes.stop_marked(state, patience_seconds=0.5) == 1
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_group_can_be_signalled_after_its_leader_has_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"

    async def scenario() -> int:
        process = await processes.start([sys.executable, "-c", PARENT], os.environ, log)
        while not log.read_text().strip():
            await asyncio.sleep(0.02)
        process.kill()
        await process.wait()
        processes.signal_group(process.pid, signal.SIGKILL)
        return int(log.read_text())

    child = asyncio.run(scenario())
    deadline = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_holder_of_a_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert str(os.getpid()) in processes.holder_of(server.getsockname()[1])
