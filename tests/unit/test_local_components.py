"""What keeps a component running, on small servers of our own."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local import components
from infra.local.components import Component, Runner, State
from infra.local.ports import free_ports, port_is_free
from infra.local.probes import NotUsable, listening
from infra.local.servers.tools import Launch, Missing, Say

SERVER = (
    "import socket, sys, time\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "while True: server.accept()[0].close()\n"
)
#: As gunicorn: a worker holds the port, too.
WITH_WORKER = (
    "import os, socket, sys, time\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "if os.fork() == 0:\n"
    "    while True: server.accept()[0].close()\n"
    "time.sleep(120)\n"
)
FAILS = "import sys; print('what it was'); print('there is no bread'); sys.exit(3)"

Scenario = Callable[[Runner], Awaitable[None]]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(components, "LONGEST_PAUSE", 0.05)


class Run:
    """One runner, what it said, and a scenario around it."""

    def __init__(self, directory: Path, code: str = SERVER) -> None:
        self.port = free_ports(1)[0]
        self.said: list[str] = []
        self.log = directory / "it.log"
        self.launch = Launch((sys.executable, "-c", code, str(self.port)), os.environ, "a note")
        self.starts = 0

    def prepare(self, say: Say) -> Launch:
        self.starts += 1
        return self.launch

    def component(
        self,
        prepare: Callable[[Say], Launch] | None = None,
        external: bool = False,
        ready_seconds: float = 20,
        on_ready: Callable[[bool], Awaitable[None]] | None = None,
        missing: str | None = None,
    ) -> Component:
        start = None if external else (prepare or self.prepare)
        return Component(
            "it",
            self.port,
            listening(f"127.0.0.1:{self.port}"),
            start,
            ready_seconds=ready_seconds,
            on_ready=on_ready,
            missing=missing,
        )

    def __call__(self, scenario: Scenario, component: Component | None = None) -> Runner:
        async def run() -> Runner:
            runner = Runner(
                component or self.component(),
                self.log,
                lambda name, text: self.said.append(f"{name}: {text}"),
                lambda: None,
            )
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


def test_it_comes_up_and_is_stopped(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario(runner: Runner) -> None:
        assert runner.state is State.RUNNING
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
def test_what_dies_is_started_again_on_the_same_port(code: str, tmp_path: Path) -> None:
    run = Run(tmp_path, code)

    async def scenario(runner: Runner) -> None:
        for _ in range(2):
            starts = run.starts
            assert runner.pid is not None
            os.kill(runner.pid, signal.SIGKILL)
            await until(lambda: run.starts > starts)  # noqa: B023
            await until(lambda: runner.state is State.RUNNING)

    run(scenario)
    assert run.starts == 3
    assert port_is_free(run.port)
    assert "it: ended with signal SIGKILL; starting it again" in run.said


def test_what_ends_before_it_is_up_is_said_with_its_last_line(tmp_path: Path) -> None:
    run = Run(tmp_path, FAILS)

    async def scenario(runner: Runner) -> None:
        assert runner.failure is not None
        await until(lambda: run.starts >= 3)

    run(scenario)
    assert run.said[0] == (
        f"it: ended with exit code 3 before it was ready; see {run.log},"
        " whose last line is: there is no bread"
    )


def test_one_death_before_it_is_up_is_made_good(tmp_path: Path) -> None:
    first = tmp_path / "first"
    once = f"import os, sys; os.path.exists({str(first)!r}) or (open({str(first)!r}, 'w'), sys.exit(1))\n"
    run = Run(tmp_path, once + SERVER)

    async def scenario(runner: Runner) -> None:
        # What waits for it goes on when it is up, and not when it has died.
        assert (runner.failure, runner.state, run.starts) == (None, State.RUNNING, 2)

    run(scenario)
    assert "ended with exit code 1 before it was ready" in run.said[0]


def test_what_never_answers_is_said_and_killed(tmp_path: Path) -> None:
    run = Run(tmp_path, "import time; time.sleep(120)")
    run(nothing, run.component(ready_seconds=0.3))
    assert "did not answer within 0 s" in run.said[0]


def test_a_taken_port_is_said_with_its_holder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "_FREE_SECONDS", 0.2)
    run = Run(tmp_path)

    async def scenario() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", run.port)
        async with server:
            runner = Runner(run.component(), run.log, lambda _, text: run.said.append(text), lambda: None)
            task = asyncio.create_task(runner.run({}))
            await runner.settled.wait()
            await runner.stop()
            task.cancel()

    asyncio.run(scenario())
    assert run.said[0].startswith(f"port {run.port} is taken by ")
    assert f"pid {os.getpid()}. End it, or stop this run and start it again." in run.said[0]


def test_a_first_start_waits_for_a_port_that_another_program_has_for_a_moment(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario() -> None:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", run.port)
        runner = Runner(run.component(), run.log, lambda _, text: run.said.append(text), lambda: None)
        task = asyncio.create_task(runner.run({}))
        async with asyncio.timeout(20):
            await asyncio.sleep(0.5)
            assert not runner.settled.is_set()
            server.close()
            await server.wait_closed()
            await runner.settled.wait()
        assert (runner.failure, runner.state) == (None, State.RUNNING)
        await runner.stop()
        task.cancel()

    asyncio.run(scenario())
    assert len(run.said) == 1, "nothing but that it is up"


def test_a_first_start_that_loses_its_port_to_another_program_is_tried_again(tmp_path: Path) -> None:
    """The other program binds the port after the look at it, and has it for a moment."""
    run = Run(tmp_path)

    def prepare(say: Say) -> Launch:
        launch = run.prepare(say)
        if run.starts == 1:
            steal = f"import socket; taken = socket.create_server(('127.0.0.1', {run.port}))\n"
            return replace(launch, argv=(sys.executable, "-c", steal + SERVER, str(run.port)))
        return launch

    async def scenario(runner: Runner) -> None:
        assert (runner.failure, runner.state, run.starts) == (None, State.RUNNING, 2)

    run(scenario, run.component(prepare))
    assert "Address already in use" in run.said[0]


def test_what_is_missing_on_this_machine_is_said(tmp_path: Path) -> None:
    def prepare(say: Say) -> Launch:
        raise Missing("Java was not found: install it")

    run = Run(tmp_path)
    runner = run(nothing, run.component(prepare))
    assert runner.failure == "Java was not found: install it"


def test_what_has_nothing_to_start_is_reported(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario(runner: Runner) -> None:
        assert runner.state is State.MISSING

    run(scenario, run.component(missing="functions/it/main.py does not exist"))
    assert run.said == ["it: missing: functions/it/main.py does not exist"]


def test_each_start_is_prepared_and_one_that_cannot_be_is_a_failure(tmp_path: Path) -> None:
    run = Run(tmp_path)
    restarts: list[bool] = []

    async def on_ready(restart: bool) -> None:
        restarts.append(restart)
        if len(restarts) == 2:
            raise NotUsable("no topics")

    async def scenario(runner: Runner) -> None:
        assert runner.pid is not None
        os.kill(runner.pid, signal.SIGKILL)
        await until(lambda: len(restarts) == 3 and runner.state is State.RUNNING)

    run(scenario, run.component(on_ready=on_ready))
    assert restarts == [False, True, True]
    assert "it: no topics" in run.said


def test_a_server_of_the_callers_is_used_and_never_started(tmp_path: Path) -> None:
    run = Run(tmp_path)

    async def scenario() -> tuple[State, int | None]:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", run.port)
        async with server:
            runner = Runner(run.component(external=True), run.log, lambda *_: None, lambda: None)
            await runner.run({})
            await runner.stop()
            return runner.state, runner.pid

    assert asyncio.run(scenario()) == (State.RUNNING, None)
    runner = run(nothing, run.component(external=True, ready_seconds=0.2))
    assert runner.failure == "the server that you set does not answer"


def test_what_does_not_end_when_asked_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER)
    component = Component("it", run.port, listening(f"127.0.0.1:{run.port}"), run.prepare, stop_seconds=0.3)
    run(nothing, component)
    assert run.said[-1] == "it: did not end within 0 s; killed"
    assert port_is_free(run.port)


def test_what_hangs_without_dying_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "LOOK_SECONDS", 0.05)
    run = Run(tmp_path)
    first = True

    async def answers_until_told() -> bool:
        return first or run.starts > 1

    async def scenario(runner: Runner) -> None:
        nonlocal first
        pid = runner.pid
        first = False
        await until(lambda: run.starts == 2 and runner.state is State.RUNNING)
        assert runner.pid != pid

    component = replace(run.component(), probe=answers_until_told, hang_seconds=0.5)
    run(scenario, component)
    assert any("has not answered for" in line and "starting it again" in line for line in run.said)
    assert port_is_free(run.port)


def test_a_slow_answer_is_no_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(components, "LOOK_SECONDS", 0.01)
    run = Run(tmp_path)
    answers: list[bool] = []

    async def every_third_time() -> bool:
        answers.append(len(answers) % 3 == 0)
        return answers[-1]

    async def scenario(runner: Runner) -> None:
        await until(lambda: len(answers) > 30)

    run(scenario, replace(run.component(), probe=every_third_time, hang_seconds=20))
    assert run.starts == 1
