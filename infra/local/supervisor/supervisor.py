"""Starts the components of a run, keeps them running, and stops them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine, Mapping
from dataclasses import asdict
from typing import Any

from infra.local.persistence import Autosave, ExportFailed
from infra.local.servers.heap import MemoryWatch
from infra.local.state_dir import StateDir
from infra.local.supervisor import processes, status
from infra.local.supervisor.component import ComponentState
from infra.local.supervisor.runner import Runner, Timing
from infra.local.supervisor.schedules import Schedules
from infra.local.supervisor.stack import Stack, assemble
from infra.local.supervisor.status import RunStatus
from infra.pipeline import Pipeline
from shared.config import Config

#: How long stopping waits for the last export. Less than cli.down.STOP_SECONDS.
_LAST_EXPORT_SECONDS = 40.0
#: Tests that arm failpoints kill functions again and again. Their runs restart them sooner.
_SHORT_PAUSES = Timing(longest_pause=0.4)
#: Stopped first, one after the other. Then come all others at once, and the servers last.
_STOPPED_FIRST = ("gateway", "delivery")
_SERVERS = ("pubsub", "firestore", "elasticsearch")


class Supervisor:
    """``caller`` is the environment of the person who starts the run."""

    def __init__(
        self,
        caller: Mapping[str, str],
        config: Config,
        pipeline: Pipeline,
        state: StateDir,
        push: bool = False,
    ) -> None:
        self._config = config
        self._state = state
        self._push = push
        self._stack: Stack = assemble(
            caller, config, pipeline, state, lambda: self._schedules.messages_were_lost(), push=push
        )
        timing = _SHORT_PAUSES if config.failpoints_dir else Timing()
        self._runners = {
            component.name: Runner(
                component, state.log(component.name), self._say_of, self._write_status, timing
            )
            for component in self._stack.components
        }
        self._autosave = Autosave(self._stack.exports.save, self._firestore_runs, state.changes, self._say)
        self._memory = MemoryWatch(state, self._stack.memory_mb, self._say)
        self._schedules = Schedules(
            self._stack.pipeline, self._stack.functions, self._say, self._firestore_runs
        )
        self._phase = "starting"
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner_tasks: list[asyncio.Task[None]] = []

    async def run(self, parent: int | None) -> int:
        """Runs until a signal comes or the parent process ends. Returns the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if parent is not None:
            self._spawn(self._stop_with(parent))
        self._write_status()
        code = 0
        try:
            self._runner_tasks = [
                asyncio.create_task(runner.run(self._runners)) for runner in self._runners.values()
            ]
            started = asyncio.create_task(self._start())
            stopped = asyncio.create_task(self._stop.wait())
            await asyncio.wait({started, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not self._stop.is_set():
                if await started:
                    await self._stop.wait()
                else:
                    code = 1
            started.cancel()
        finally:
            await self._stop_everything(failed=code != 0)
        return code

    async def _start(self) -> bool:
        """Waits for the first start of every component. Returns False when an essential one has failed."""
        pending = set(self._runners.values())
        while pending:
            waits = {asyncio.create_task(runner.settled.wait()): runner for runner in pending}
            done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            for task in done:
                runner = waits[task]
                pending.discard(runner)
                if runner.failure and runner.component.essential:
                    self._say(f"Stopping: {runner.name} could not be started, and everything needs it.")
                    return False
        self._spawn(self._schedules.run())
        if self._config.firestore_emulator_host is None:
            self._spawn(self._autosave.run())
            self._spawn(self._memory.run())
        all_run = all(runner.state is ComponentState.RUNNING for runner in self._runners.values())
        self._phase = "ready" if all_run else "incomplete"
        self._write_status()
        return True

    async def _stop_with(self, parent: int) -> None:
        """Stops a foreground run when the program in the foreground ends, even if that was killed."""
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        self._stop.set()

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._say("Asked to stop twice: killing all processes that are left.")
            for process in processes.marked(self._state):
                with contextlib.suppress(Exception):
                    process.kill()
        self._stop.set()

    async def _stop_everything(self, failed: bool) -> None:
        self._phase = "stopping"
        self._write_status()
        for task in self._tasks:
            task.cancel()
        for runner in self._runners.values():
            runner.retire()
        for name in _STOPPED_FIRST:
            if name in self._runners:
                await self._runners[name].stop()
        others = [runner for name, runner in self._runners.items() if name not in _SERVERS]
        await asyncio.gather(*(runner.stop() for runner in others))
        await self._export()
        await asyncio.gather(*(self._runners[name].stop() for name in _SERVERS))
        # Runners that still download or prepare something are cancelled.
        for task in self._runner_tasks:
            task.cancel()
        await asyncio.gather(*self._runner_tasks, return_exceptions=True)
        processes.stop_marked(self._state, patience_seconds=1)
        for runner in self._runners.values():
            runner.state, runner.pid = ComponentState.STOPPED, None
        self._phase = "failed" if failed else "stopped"
        self._write_status()
        self._state.pid_file.unlink(missing_ok=True)

    def _firestore_runs(self) -> bool:
        return self._runners["firestore"].state is ComponentState.RUNNING

    async def _export(self) -> None:
        if self._config.firestore_emulator_host is not None or not self._firestore_runs():
            return
        # With push, the delivery is Pub/Sub itself, which notes no changes. So there may always be some.
        if not (self._push or self._autosave.needed() or self._schedules.has_done):
            return
        try:
            async with asyncio.timeout(_LAST_EXPORT_SECONDS):
                await self._stack.exports.save()
        except (ExportFailed, TimeoutError) as error:
            self._say(
                f"The library could not be saved ({error or type(error).__name__})."
                " The next start loads the last save; changes after it are lost."
            )

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._say(f"Stopping after an internal error in {task.get_coro()}: {error!r}")
            self._stop.set()

    def _say_of(self, name: str, text: str) -> None:
        self._say(f"  {name:<14} {text}")

    def _say(self, text: str) -> None:
        print(text, flush=True)

    def _write_status(self) -> None:
        components = [runner.view() for runner in self._runners.values()]
        addresses = asdict(self._stack.addresses)
        status.write(
            self._state,
            RunStatus(self._phase, os.getpid(), self._stack.url, components, **addresses),
        )
