"""infra/local/supervisor/runner.py: starting, restarting and stopping a component, with small servers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.servers.tools import Launch, Missing, Say
from infra.local.supervisor.component import Component, ComponentState
from infra.local.supervisor.ports import free_ports, port_is_free
from infra.local.supervisor.probes import NotUsable, listening
from infra.local.supervisor.runner import Runner, Timing

SERVER = (
    "import socket, sys, time\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "while True: server.accept()[0].close()\n"
)
#: As in gunicorn, a child process has the port, too.
WITH_WORKER = (
    "import os, socket, sys, time\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "if os.fork() == 0:\n"
    "    while True: server.accept()[0].close()\n"
    "time.sleep(120)\n"
)
FAILS = "import sys; print('the first line'); print('there is no bread'); sys.exit(3)"
SHORT = Timing(first_pause=0.01, longest_pause=0.05)

Scenario = Callable[[Runner], Awaitable[None]]


class Run:
    """A component called "it", the lines that its runner prints, and the number of starts."""

    def __init__(self, directory: Path, code: str = SERVER) -> None:
        self.port = free_ports(1)[0]
        self.said: list[str] = []
        self.log = directory / "it.log"
        self.launch = Launch((sys.executable, "-c", code, str(self.port)), os.environ, "a note")
        self.starts = 0
        self.component = Component(
            "it", self.port, listening(f"127.0.0.1:{self.port}"), self.prepare, ready_seconds=20
        )

    def prepare(self, say: Say) -> Launch:
        self.starts += 1
        return self.launch

    def runner(self, component: Component | None = None, timing: Timing = SHORT) -> Runner:
        return Runner(
            component or self.component,
            self.log,
            lambda name, text: self.said.append(f"{name}: {text}"),
            lambda: None,
            timing,
        )

    def __call__(
        self, scenario: Scenario, component: Component | None = None, timing: Timing = SHORT
    ) -> Runner:
        """Runs the scenario after the first start has ended, and then stops the component."""

        async def run() -> Runner:
            runner = self.runner(component, timing)
            task = asyncio.create_task(runner.run({}))
            try:
                async with asyncio.timeout(30):
                    await runner.settled.wait()
                    await scenario(runner)
                await runner.stop()
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            return runner

        return asyncio.run(run())


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def nothing(runner: Runner) -> None:
    pass


async def other_server(port: int) -> asyncio.Server:
    return await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port)


def test_a_component_comes_up_and_is_stopped(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario(runner: Runner) -> None:
        assert runner.state is ComponentState.RUNNING
        assert runner.view() == {"name": "it", "state": "running", "port": run.port, "pid": runner.pid}
        assert runner.pid is not None

    runner = run(scenario)
    assert runner.pid is None
    assert port_is_free(run.port)
    assert len(run.said) == 1
    assert "up" in run.said[0]
    assert str(run.port) in run.said[0]
    assert "a note" in run.said[0]


@pytest.mark.parametrize("code", [SERVER, WITH_WORKER])
def test_a_component_that_dies_is_restarted_on_the_same_port(code: str, tmp_path: Path) -> None:
    run = Run(tmp_path, code)

    async def scenario(runner: Runner) -> None:
        for _ in range(2):
            starts = run.starts
            assert runner.pid is not None
            os.kill(runner.pid, signal.SIGKILL)
            await until(lambda: run.starts > starts)  # noqa: B023
            await until(lambda: runner.state is ComponentState.RUNNING)

    run(scenario)
    assert run.starts == 3
    assert port_is_free(run.port)
    assert "it: ended with signal SIGKILL; restarting" in run.said


def test_the_last_line_of_a_component_that_ends_early_is_printed(tmp_path: Path) -> None:
    run = Run(tmp_path, FAILS)

    async def scenario(runner: Runner) -> None:
        assert runner.failure is not None
        await until(lambda: run.starts >= 3)

    run(scenario)
    assert run.said[0] == (
        f"it: ended with exit code 3 before it was ready. See {run.log}, which ends with: there is no bread"
    )


def test_a_first_start_that_ends_early_is_tried_once_more(tmp_path: Path) -> None:
    first = tmp_path / "first"
    once = f"import os, sys; os.path.exists({str(first)!r}) or (open({str(first)!r}, 'w'), sys.exit(1))\n"
    run = Run(tmp_path, once + SERVER)

    async def scenario(runner: Runner) -> None:
        # Other components wait for the second start, which succeeds.
        assert (runner.failure, runner.state, run.starts) == (None, ComponentState.RUNNING, 2)

    run(scenario)
    assert "ended with exit code 1 before it was ready" in run.said[0]


def test_a_component_that_never_answers_is_killed(tmp_path: Path) -> None:
    run = Run(tmp_path, "import time; time.sleep(120)")
    run(nothing, replace(run.component, ready_seconds=0.3))
    assert "did not answer within 0 s" in run.said[0]


def test_the_holder_of_a_port_in_use_is_named(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario() -> None:
        async with await other_server(run.port):
            runner = run.runner(timing=replace(SHORT, port=0.2))
            task = asyncio.create_task(runner.run({}))
            await runner.settled.wait()
            await runner.stop()
            task.cancel()

    asyncio.run(scenario())
    assert run.said[0].startswith(f"it: port {run.port} is in use by ")
    assert f"pid {os.getpid()}. End that program, or stop this run and start it again." in run.said[0]


def test_a_first_start_waits_until_another_program_releases_the_port(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario() -> None:
        server = await other_server(run.port)
        runner = run.runner()
        task = asyncio.create_task(runner.run({}))
        async with asyncio.timeout(20):
            await asyncio.sleep(0.5)
            assert not runner.settled.is_set()
            server.close()
            await server.wait_closed()
            await runner.settled.wait()
        assert (runner.failure, runner.state) == (None, ComponentState.RUNNING)
        await runner.stop()
        task.cancel()

    asyncio.run(scenario())
    assert len(run.said) == 1, "only that it is up"


def test_a_first_start_that_loses_its_port_to_another_program_is_tried_again(tmp_path: Path) -> None:
    """The other program binds the port after it was found free, and releases it soon."""
    run = Run(tmp_path)

    def prepare(say: Say) -> Launch:
        launch = run.prepare(say)
        if run.starts == 1:
            # It does not listen, because a listener would pass for the component until it ends.
            steal = f"import socket; taken = socket.socket(); taken.bind(('127.0.0.1', {run.port}))\n"
            return replace(launch, argv=(sys.executable, "-c", steal + SERVER, str(run.port)))
        return launch

    async def scenario(runner: Runner) -> None:
        assert (runner.failure, runner.state, run.starts) == (None, ComponentState.RUNNING, 2)

    run(scenario, replace(run.component, prepare=prepare))
    assert "Address already in use" in run.said[0]


def test_a_missing_program_is_a_failure(tmp_path: Path) -> None:
    def prepare(say: Say) -> Launch:
        raise Missing("Java was not found. Install it.")

    run = Run(tmp_path)
    runner = run(nothing, replace(run.component, prepare=prepare))
    assert runner.failure == "Java was not found. Install it."


def test_a_component_without_a_file_is_reported_as_missing(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario(runner: Runner) -> None:
        assert runner.state is ComponentState.MISSING

    run(scenario, replace(run.component, missing="functions/it/main.py does not exist"))
    assert run.said == ["it: not started: functions/it/main.py does not exist"]


def test_a_component_that_cannot_be_made_ready_is_restarted(tmp_path: Path) -> None:
    run = Run(tmp_path)
    restarts: list[bool] = []

    async def on_ready(restart: bool) -> None:
        restarts.append(restart)
        if len(restarts) == 2:
            raise NotUsable("no topics")

    async def scenario(runner: Runner) -> None:
        assert runner.pid is not None
        os.kill(runner.pid, signal.SIGKILL)
        await until(lambda: len(restarts) == 3 and runner.state is ComponentState.RUNNING)

    run(scenario, replace(run.component, on_ready=on_ready))
    assert restarts == [False, True, True]
    assert "it: no topics" in run.said


def test_an_external_server_is_used_and_not_started(tmp_path: Path) -> None:
    run = Run(tmp_path)
    external = replace(run.component, prepare=None, external="IT_HOST", ready_seconds=0.2)

    async def scenario() -> tuple[ComponentState, int | None]:
        async with await other_server(run.port):
            runner = run.runner(external)
            await runner.run({})
            await runner.stop()
            return runner.state, runner.pid

    assert asyncio.run(scenario()) == (ComponentState.RUNNING, None)
    runner = run(nothing, external)
    assert runner.failure == "the server that IT_HOST names does not answer. Start it, or unset IT_HOST."


def test_a_component_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    run = Run(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER)
    run(nothing, replace(run.component, stop_seconds=0.3))
    assert run.said[-1] == "it: did not stop within 0 s and was killed"
    assert port_is_free(run.port)


def test_a_component_that_hangs_is_restarted(tmp_path: Path) -> None:
    run = Run(tmp_path)
    hangs = False

    async def answers() -> bool:
        return not hangs or run.starts > 1

    async def scenario(runner: Runner) -> None:
        nonlocal hangs
        pid = runner.pid
        hangs = True
        await until(lambda: run.starts == 2 and runner.state is ComponentState.RUNNING)
        assert runner.pid != pid

    component = replace(run.component, probe=answers, hang_seconds=0.5)
    run(scenario, component, replace(SHORT, probe_interval=0.05))
    assert any("has not answered for" in line and "restarting" in line for line in run.said)
    assert port_is_free(run.port)


def test_a_component_that_answers_now_and_then_is_not_restarted(tmp_path: Path) -> None:
    run = Run(tmp_path)
    answers: list[bool] = []

    async def every_third_time() -> bool:
        answers.append(len(answers) % 3 == 0)
        return answers[-1]

    async def scenario(runner: Runner) -> None:
        await until(lambda: len(answers) > 30)

    component = replace(run.component, probe=every_third_time, hang_seconds=20)
    run(scenario, component, replace(SHORT, probe_interval=0.01))
    assert run.starts == 1
