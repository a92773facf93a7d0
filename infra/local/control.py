"""What the command line knows about the run of a state directory, and how it starts and stops it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.local import processes
from infra.local.state_dir import ROOT, StateDir

#: What stops in order needs less; after that nothing is left to wait for.
STOP_SECONDS = 90.0
#: What a process that is killed may need to be gone.
_KILL_SECONDS = 10.0


class NotRunning(RuntimeError):
    """There is no run to ask; says how to start one."""

    def __init__(self) -> None:
        super().__init__("not running: start it with ./emulators.sh up")


@dataclass(frozen=True, slots=True)
class Running:
    """What ``run/status.json`` says. ``components``: name, state, port, pid each."""

    phase: str
    supervisor: int
    url: str
    components: tuple[dict[str, Any], ...]
    youtube: str | None
    pubsub: str
    firestore: str
    elasticsearch: str

    def port_of(self, name: str) -> int:
        """Raises NotRunning."""
        for component in self.components:
            if component["name"] == name and component["state"] == "running":
                return int(component["port"])
        raise NotRunning


def is_supervised(state: StateDir) -> bool:
    """Whether a supervisor lives: it alone holds the lock."""
    with state.lock() as free:
        return not free


def read(state: StateDir) -> Running | None:
    """What runs in this directory, or None."""
    if not is_supervised(state):
        return None
    return _read(state)


def _read(state: StateDir) -> Running | None:
    try:
        status = json.loads(state.status_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Running(
        status["phase"],
        status["supervisor"],
        status["url"],
        tuple(status["components"]),
        status["youtube"],
        status["pubsub"],
        status["firestore"],
        status["elasticsearch"],
    )


def require(state: StateDir) -> Running:
    """Raises NotRunning."""
    running = read(state)
    if running is None:
        raise NotRunning
    return running


class Supervised:
    """A supervisor that we started, and what it says."""

    def __init__(self, state: StateDir, detach: bool) -> None:
        self._state = state
        self._log = state.log("supervisor")
        if self._log.exists():
            self._log.replace(self._log.with_name("supervisor.log.1"))
        command = [sys.executable, "-m", "infra.local.supervisor"]
        if not detach:
            command.append(f"--parent={os.getpid()}")
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._follow = Follow(self._log)

    def show_until_up(self) -> str:
        """Prints what it says; the phase it reached: ready, incomplete, failed or stopped."""
        while True:
            self._show()
            running = _read(self._state)
            if (
                running
                and running.supervisor == self._process.pid
                and running.phase in ("ready", "incomplete")
            ):
                self._show()
                return running.phase
            if self._process.poll() is not None:
                self._show()
                return "stopped" if self._process.returncode == 0 else "failed"
            time.sleep(0.1)

    def show_until_ended(self) -> int:
        while self._process.poll() is None:
            self._show()
            time.sleep(0.2)
        self._show()
        return self._process.returncode

    def stop(self) -> None:
        """In order; at once when asked again meanwhile."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def _show(self) -> None:
        for line in self._follow.new_lines():
            print(line, flush=True)


class Follow:
    """The lines that are added to a file, also when it is replaced by a new one."""

    def __init__(self, path: Path, from_end: bool = False) -> None:
        self._path = path
        self._inode = 0
        self._position = 0
        self._rest = ""
        if from_end:
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                self._inode, self._position = status.st_ino, status.st_size

    def new_lines(self) -> list[str]:
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._position:
                    self._inode, self._position, self._rest = status.st_ino, 0, ""
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data.decode("utf-8", errors="replace")).split("\n")
        return lines


def stop(state: StateDir) -> bool:
    """Stops the run and what an earlier one left behind; whether there was anything.

    A supervisor that does not end in time is killed: what it had saved remains.

    Raises:
        TimeoutError: somebody holds the lock who is no supervisor.
    """
    stopped = killed = False
    deadline = time.monotonic() + STOP_SECONDS
    while is_supervised(state):
        if not stopped and (pid := _pid(state)):
            os.kill(pid, signal.SIGTERM)
            stopped = True
        if time.monotonic() > deadline:
            if killed or not (pid := _pid(state)):
                raise TimeoutError(
                    f"the run did not stop within {STOP_SECONDS:.0f} s: see {state.log('supervisor')}"
                )
            os.kill(pid, signal.SIGKILL)
            killed, deadline = True, time.monotonic() + _KILL_SECONDS
        time.sleep(0.1)
    return processes.stop_marked(state) > 0 or stopped


def _pid(state: StateDir) -> int | None:
    """Of the supervisor, which lives: the lock is held."""
    try:
        pid = int(state.pid_file.read_text(encoding="utf-8"))
        command = psutil.Process(pid).cmdline()
    except (FileNotFoundError, ValueError, psutil.Error):
        return None
    # Not written yet by the present one: then it is the last one's, and may be anybody's.
    return pid if "infra.local.supervisor" in command else None
