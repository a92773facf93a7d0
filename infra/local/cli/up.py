"""`up`: starts the run, indexes and searches the sample library, and stays until Ctrl-C unless detached."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from types import FrameType

from infra.local.cli.api import Api, ApiError
from infra.local.cli.down import down
from infra.local.cli.index import index
from infra.local.cli.logs import Tail
from infra.local.cli.reindex import reindex
from infra.local.cli.search import search
from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor import environment, status
from infra.local.supervisor.status import NotRunning, RunStatus
from shared.config import Config

DEMO_USER = "demo"
#: The library of the fake YouTube, and a sentence in it that crosses the end of a caption line.
SAMPLE_PLAYLIST = "PLyts-sample-talks"
EXAMPLE = '"a fire that happens to be wet"'


class _Interrupted(Exception):
    """Ctrl-C was pressed, or the terminal was closed."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise _Interrupted


def up(
    caller: Mapping[str, str], config: Config, state: StateDir, detach: bool, sample: bool, push: bool
) -> int:
    """Returns the exit code: 0 if everything came up, or was stopped by Ctrl-C.

    ``push``: the functions run as in the cloud. There is no way in but the sign-in, so nothing is indexed.
    """
    sample = sample and not environment.real_youtube(caller)
    if (running := status.read(state)) is not None and running.phase == "stopping":
        down(state)  # Waits until the other run has stopped.
    elif running is not None:
        print(f"Already running: {running.url}   (./emulators.sh status, ./emulators.sh down)")
        return 0
    # A shell makes programs in the background ignore SIGINT, so the handler is set even then.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)
    state.make()
    print(f"Starting; logs are in {state.logs}", flush=True)
    supervisor = _Supervisor(state, detach, push)
    try:
        return _start_and_stay(state, supervisor, detach, sample, push)
    except _Interrupted:
        print("\nStopping …", flush=True)
        return _stop(supervisor)


class _Supervisor:
    """A supervisor that this process has started. Its lines are printed here."""

    def __init__(self, state: StateDir, detach: bool, push: bool) -> None:
        self._state = state
        log = state.log("supervisor")
        if log.exists():
            log.replace(log.with_name("supervisor.log.1"))
        command = [sys.executable, "-m", "infra.local.supervisor"]
        if not detach:
            command.append(f"--parent={os.getpid()}")
        if push:
            command.append("--push")
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._tail = Tail(log)

    def wait_until_up(self) -> str:
        """Returns the phase that was reached: ready, incomplete, failed or stopped."""
        while True:
            self._print_lines()
            run = status.last_written(self._state)
            if run and run.supervisor == self._process.pid and run.phase in ("ready", "incomplete"):
                self._print_lines()
                return run.phase
            if self._process.poll() is not None:
                self._print_lines()
                return "stopped" if self._process.returncode == 0 else "failed"
            time.sleep(0.1)

    def wait_until_ended(self) -> int:
        """Returns the exit code."""
        while self._process.poll() is None:
            self._print_lines()
            time.sleep(0.2)
        self._print_lines()
        return self._process.returncode

    def stop(self) -> None:
        """Asks it to stop in order. A second call makes it kill everything."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def _print_lines(self) -> None:
        for line in self._tail.new_lines():
            print(line, flush=True)


def _start_and_stay(state: StateDir, supervisor: _Supervisor, detach: bool, sample: bool, push: bool) -> int:
    began = time.monotonic()
    phase = supervisor.wait_until_up()
    if phase in ("failed", "stopped"):
        return 1
    run = status.require(state)
    seconds = time.monotonic() - began
    if phase == "ready":
        print(f"Up after {seconds:.1f} s.", flush=True)
    else:
        print(f"Up after {seconds:.1f} s, except for the components listed below.", flush=True)
    api = None if push else Api(run.page(), state, DEMO_USER)
    shown = _show_page_and_sample(api, run, sample)
    if phase == "incomplete":
        _list_missing(run, state)
    if detach:
        return 0 if shown and phase == "ready" else 1
    print("Ctrl-C stops it.", flush=True)
    code = supervisor.wait_until_ended()
    print(f"The run has stopped by itself. See {state.log('supervisor')}; start again with ./emulators.sh up")
    return code or 1


def _stop(supervisor: _Supervisor) -> int:
    supervisor.stop()
    while True:
        try:
            supervisor.wait_until_ended()
            return 0
        except _Interrupted:
            # A second Ctrl-C.
            supervisor.stop()


def _show_page_and_sample(api: Api | None, run: RunStatus, sample: bool) -> bool:
    """Indexes and searches the sample library, and prints the page's address. Returns whether it worked.

    Without ``api`` it prints only where people sign in.
    """
    try:
        with contextlib.suppress(NotRunning):
            reindex(run.port_of("reindex"), only_outdated=True)
        if api is None:
            print(f"\n  {run.url}\n\nSign in there. The emulator pushes two messages at a time.", flush=True)
            return True
        token = api.token()
        if sample:
            _show_sample(api)
        print(f"\n  {run.url}/#token={token}\n", flush=True)
        return True
    except ApiError as error:
        print(
            f"\n  {run.url}\n\nSigning in the demo user or indexing the sample playlist failed: {error}"
            "\nSee ./emulators.sh logs"
        )
        return False


def _show_sample(api: Api) -> None:
    if _sample_is_indexed(api):
        print("The sample playlist is already in the library.")
    else:
        print("Indexing the sample playlist:", flush=True)
        index(api, SAMPLE_PLAYLIST)
    print(f"\nFor example, ./emulators.sh search '{EXAMPLE}'", flush=True)
    search(api, EXAMPLE, as_json=False)


def _sample_is_indexed(api: Api) -> bool:
    playlists = api.call("GET", "/api/playlists")["playlists"]
    return any(item["playlist_id"] == SAMPLE_PLAYLIST and item["indexed"] for item in playlists)


def _list_missing(run: RunStatus, state: StateDir) -> None:
    for component in run.components:
        if component["state"] != "running":
            print(f"{component['name']} is {component['state']}: see {state.log(component['name'])}")
