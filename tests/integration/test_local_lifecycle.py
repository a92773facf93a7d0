"""Components that die, runs that are interrupted: what comes back, and what must be gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from infra.local import processes
from infra.local.state_dir import ROOT
from tests.stack import Stack


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """One whose components may be killed."""
    stack = Stack()
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", ["pubsub", "elasticsearch", "youtube", "account", "search", "fetcher", "delivery", "gateway"]
)
def test_what_dies_is_started_again_on_its_port(name: str, own_stack: Stack) -> None:
    before = own_stack.components()[name]
    own_stack.kill(name)

    def back() -> bool:
        now = own_stack.components()[name]
        return bool(now["state"] == "running" and now["pid"] != before["pid"])

    own_stack.wait_for(back, 120, f"{name} runs again")
    assert own_stack.components()[name]["port"] == before["port"]
    job = own_stack.finish(own_stack.index(f"PLgen-1-{name}-short"))
    assert job["counts"]["indexed"] == 1


@pytest.mark.timeout(400)
def test_a_crash_of_firestore_loses_less_than_a_minute(own_stack: Stack) -> None:
    directory = own_stack.state.data / "firestore"
    kept = own_stack.index("PLgen-3-saved-short", "keeper")
    own_stack.finish(kept, "keeper")

    def exports() -> str:
        latest = directory / "latest"
        return latest.read_text() if latest.exists() else ""

    before = exports()
    own_stack.wait_for(lambda: exports() != before, 60, "the library is saved")
    saved = exports()
    own_stack.kill("firestore")
    own_stack.wait_for(
        lambda: own_stack.components()["firestore"]["state"] == "running", 120, "firestore runs again"
    )
    assert own_stack.job(kept, "keeper")["state"] == "done"
    again = own_stack.finish(own_stack.index("PLgen-3-saved-short", "keeper"), "keeper")
    assert again["reused"] == 3
    # It goes on being saved, from what it was.
    own_stack.wait_for(lambda: exports() != saved, 60, "the library is saved again")


@pytest.mark.timeout(300)
def test_what_nobody_changes_is_not_written_again(own_stack: Stack) -> None:
    latest = own_stack.state.data / "firestore" / "latest"

    def unchanged_for_an_export() -> bool:
        before = latest.read_text()
        # The interval, and what an export takes.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if latest.read_text() != before:
                return False
            time.sleep(0.5)
        return True

    own_stack.wait_for(unchanged_for_an_export, 200, "an idle run saves nothing")


@pytest.fixture
def foreground(new_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, subprocess.Popen[str]]]:
    """`up` without --detach, until its address is shown."""
    stack = new_stack()
    command = [str(ROOT / "emulators.sh"), "up", "--no-sample"]
    process = subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield stack, process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"expected {text!r}, found {said}")


def _gone(stack: Stack) -> bool:
    return not processes.marked(stack.state) and processes.port_is_free(stack.port)


@pytest.mark.timeout(400)
def test_ctrl_c_leaves_nothing_behind_and_the_library_is_kept(
    foreground: tuple[Stack, subprocess.Popen[str]],
) -> None:
    stack, process = foreground
    said = _read_until(process, "Ctrl-C stops it")
    assert re.search(rf"http://localhost:{stack.port}/#token=yts_", said)
    stack.finish(stack.index("PLgen-3-kept-short"))
    supervisor = stack.supervisor()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert _gone(stack)
    assert supervisor is not None
    assert not psutil.pid_exists(supervisor)
    assert list((stack.state.data / "firestore").glob("export-*/*.overall_export_metadata"))
    assert stack.command("status", check=False).returncode == 3


@pytest.mark.timeout(400)
def test_a_foreground_run_goes_with_its_terminal(foreground: tuple[Stack, subprocess.Popen[str]]) -> None:
    stack, process = foreground
    _read_until(process, "up port")
    process.kill()
    stack.wait_for(lambda: _gone(stack), 60, "nothing of the run is left")


@pytest.mark.timeout(400)
def test_what_a_killed_supervisor_left_is_stopped_by_down_and_nothing_else(
    new_stack: Callable[..., Stack],
) -> None:
    stack = new_stack()
    stack.start()
    supervisor = stack.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    stack.wait_for(lambda: not psutil.pid_exists(supervisor), 10, "it is gone")
    # A pid that the dead supervisor's file names now, and that is somebody else's.
    stack.state.pid_file.write_text(f"{os.getpid()}\n")
    assert len(processes.marked(stack.state)) > 12
    assert "Stopped" in stack.command("down").stdout
    assert _gone(stack)
