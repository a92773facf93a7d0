"""``python -m infra.local.supervisor``: starts the run's components, keeps them up, stops them in order.

One per state directory: it holds the directory's lock as long as it lives. What it says goes to its
standard output, a line each; where everything is, it keeps in ``run/status.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from infra.local import processes
from infra.local.components import Runner, State
from infra.local.persistence import Autosave, ExportFailed
from infra.local.ports import port_is_free
from infra.local.schedules import Schedules
from infra.local.stack import Stack, assemble
from infra.local.state_dir import StateDir, write_whole
from infra.pipeline import PipelineError, load_pipeline
from shared.config import Config, ConfigError

#: What stopping waits for the last save of the library; less than control.STOP_SECONDS.
_LAST_EXPORT_SECONDS = 40.0
#: What is stopped one after the other; everything else between the delivery and the servers.
_FIRST_TO_STOP = ("gateway", "delivery")
_SERVERS = ("pubsub", "firestore", "elasticsearch")


class Supervisor:
    def __init__(self, caller: Mapping[str, str], config: Config, state: StateDir) -> None:
        self._config = config
        self._state = state
        self._stack: Stack = assemble(
            caller, config, load_pipeline(config), state, lambda: self._schedules.messages_were_lost()
        )
        self._runners = {
            component.name: Runner(component, state.log(component.name), self._say_of, self._write_status)
            for component in self._stack.components
        }
        self._autosave = Autosave(self._stack.exports.save, self._firestore_runs, state.changes, self._say)
        self._schedules = Schedules(load_pipeline(config), self._stack.functions, self._say)
        self._phase = "starting"
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._runner_tasks: list[asyncio.Task[None]] = []

    async def run(self, parent: int | None) -> int:
        """Until a signal, or until the parent is gone; the exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        if parent is not None:
            self._spawn(self._watch(parent))
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
        """Waits for every first start; False if the run is of no use."""
        pending = set(self._runners.values())
        while pending:
            waits = {asyncio.create_task(runner.settled.wait()): runner for runner in pending}
            done, rest = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            for task in done:
                runner = waits[task]
                pending.discard(runner)
                if runner.failure and runner.component.essential and runner.component.missing is None:
                    self._say(f"Stopping: nothing works without {runner.name}.")
                    return False
        self._spawn(self._schedules.run())
        if self._config.firestore_emulator_host is None:
            self._spawn(self._autosave.run())
        missing = [runner.name for runner in self._runners.values() if runner.state is not State.RUNNING]
        self._phase = "incomplete" if missing else "ready"
        self._write_status()
        return True

    async def _watch(self, parent: int) -> None:
        """A foreground run goes with the program that shows it, however that ends."""
        while os.getppid() == parent:
            await asyncio.sleep(0.5)
        self._stop.set()

    def _on_signal(self) -> None:
        if self._stop.is_set():
            # Asked twice: no more patience.
            self._say("Killing what is left.")
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
        for name in _FIRST_TO_STOP:
            await self._runners[name].stop()
        others = [runner for name, runner in self._runners.items() if name not in _SERVERS]
        await asyncio.gather(*(runner.stop() for runner in others))
        await self._last_export()
        await asyncio.gather(*(self._runners[name].stop() for name in _SERVERS))
        # What is still being fetched or prepared is given up.
        for task in self._runner_tasks:
            task.cancel()
        await asyncio.gather(*self._runner_tasks, return_exceptions=True)
        processes.stop_marked(self._state, patience_seconds=1)
        for runner in self._runners.values():
            runner.state, runner.pid = State.STOPPED, None
        self._phase = "failed" if failed else "stopped"
        self._write_status()
        self._state.pid_file.unlink(missing_ok=True)

    def _firestore_runs(self) -> bool:
        return self._runners["firestore"].state is State.RUNNING

    async def _last_export(self) -> None:
        if self._config.firestore_emulator_host is not None or not self._firestore_runs():
            return
        try:
            async with asyncio.timeout(_LAST_EXPORT_SECONDS):
                await self._stack.exports.save()
        except (ExportFailed, TimeoutError) as error:
            self._say(f"The library could not be saved: {error!r}. What the last export holds remains.")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._say(f"{task.get_coro()} ended: {error!r}")
            self._stop.set()

    def _say_of(self, name: str, text: str) -> None:
        self._say(f"  {name:<14} {text}")

    def _say(self, text: str) -> None:
        print(text, flush=True)

    def _write_status(self) -> None:
        status = {
            "phase": self._phase,
            "supervisor": os.getpid(),
            "url": self._stack.url,
            "pubsub": self._stack.addresses.pubsub,
            "firestore": self._stack.addresses.firestore,
            "elasticsearch": self._stack.addresses.elasticsearch,
            "youtube": self._stack.addresses.youtube,
            "youtube_proxy": self._stack.addresses.youtube_proxy,
            "components": [runner.view() for runner in self._runners.values()],
        }
        write_whole(self._state.status_file, json.dumps(status, indent=1) + "\n")


def _keep_one_generation(state: StateDir) -> None:
    """Each run has its own logs; those of the one before stay beside them as NAME.log.1."""
    for log in state.logs.glob("*.log"):
        if log.name != "supervisor.log":
            log.replace(log.with_name(log.name + ".1"))


async def _supervise(state: StateDir, config: Config, parent: int | None) -> int:
    if left := processes.stop_marked(state):
        print(f"  Stopped {left} processes that an earlier run had left behind.", flush=True)
    if not port_is_free(config.port):
        holder = processes.holder_of(config.port)
        print(f"PORT: {config.port} is taken by {holder}. Choose another: PORT={config.port + 1}", flush=True)
        return 1
    _keep_one_generation(state)
    if config.operator_token:
        # The command line finds it there, also when the variable is not set for it.
        state.keep_secret("operator-token", config.operator_token)
    try:
        supervisor = Supervisor(os.environ, config, state)
    except PipelineError as error:
        print(f"{error}", flush=True)
        return 1
    return await supervisor.run(parent)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.supervisor", description=__doc__)
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    arguments = parser.parse_args()
    try:
        config = Config.from_env(os.environ)
    except ConfigError as error:
        sys.exit(str(error))
    state = StateDir.at(config.local_state_dir)
    state.make()
    with state.lock() as ours:
        if not ours:
            sys.exit(f"Another run is using {state.root}.")
        # Whoever reads it must not take the last run's for this one's.
        state.status_file.unlink(missing_ok=True)
        write_whole(state.pid_file, f"{os.getpid()}\n")
        began = time.monotonic()
        code = asyncio.run(_supervise(state, config, arguments.parent))
        state.pid_file.unlink(missing_ok=True)
        print(f"Stopped after {time.monotonic() - began:.0f} s.", flush=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
