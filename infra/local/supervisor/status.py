"""``run/status.json``: written by the supervisor, read by the command line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil

from infra.local.state_dir import StateDir, write_whole


class NotRunning(RuntimeError):
    """There is no run. The message says how to start one."""

    def __init__(self) -> None:
        super().__init__("The local run is not up. Start it with ./emulators.sh up")


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run and its components. ``components`` have name, state, port and pid each."""

    #: starting, ready, incomplete (a function could not be started), stopping, stopped or failed.
    phase: str
    #: The pid of the supervisor.
    supervisor: int
    url: str
    components: list[dict[str, Any]]
    #: The fields of environment.Addresses.
    pubsub: str
    firestore: str
    elasticsearch: str
    youtube: str | None
    youtube_proxy: str | None

    @property
    def pushes(self) -> bool:
        """Whether it was started with --push."""
        return all(component["name"] != "gateway" for component in self.components)

    def page(self) -> str:
        """The origin of the page. It needs no name resolution."""
        return f"http://127.0.0.1:{urlsplit(self.url).port}"

    def port_of(self, name: str) -> int:
        """Raises NotRunning when the component is not running."""
        for component in self.components:
            if component["name"] == name and component["state"] == "running":
                return int(component["port"])
        raise NotRunning


def write(state: StateDir, status: RunStatus) -> None:
    write_whole(state.status_file, json.dumps(asdict(status), indent=1) + "\n")


def last_written(state: StateDir) -> RunStatus | None:
    """The content of the file, also that of a run that has ended."""
    try:
        return RunStatus(**json.loads(state.status_file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def is_supervised(state: StateDir) -> bool:
    """Whether a supervisor lives. It holds the lock of the directory."""
    with state.lock() as free:
        return not free


def read(state: StateDir) -> RunStatus | None:
    """The run in this directory, or None if there is none."""
    return last_written(state) if is_supervised(state) else None


def require(state: StateDir) -> RunStatus:
    """The run in this directory. Raises NotRunning."""
    status = read(state)
    if status is None:
        raise NotRunning
    return status


def supervisor_pid(state: StateDir) -> int | None:
    """The pid of the supervisor, which holds the lock."""
    try:
        pid = int(state.pid_file.read_text(encoding="utf-8"))
        command = psutil.Process(pid).cmdline()
    except (FileNotFoundError, ValueError, psutil.Error):
        return None
    # A new supervisor takes the lock before it writes its pid. Until then the file has the pid of the last
    # one, which may belong to any other program now.
    return pid if "infra.local.supervisor" in command else None
