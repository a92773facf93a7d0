"""Keeps one component running: starts it, restarts it when it ends or hangs, and stops it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.local.servers.tools import Launch, Missing, Say
from infra.local.state_dir import ROOT
from infra.local.supervisor import processes
from infra.local.supervisor.component import Component, ComponentState
from infra.local.supervisor.ports import port_is_free
from infra.local.supervisor.probes import NotUsable, Probe, wait_for
from infra.local.supervisor.processes import signal_group


@dataclass(frozen=True, slots=True)
class Timing:
    """Times in seconds that are the same for every component."""

    #: The pause before a restart. It doubles with each restart, up to the longest.
    first_pause: float = 0.2
    longest_pause: float = 5.0
    #: After a component has lived this long, its next restart waits for the first pause only.
    steady: float = 30.0
    #: How long a start waits while another process has the port.
    port: float = 30.0
    #: Between two probes of a running component.
    probe_interval: float = 5.0


@dataclass(slots=True, eq=False)
class Runner:
    """Runs one component.

    ``say(name, text)`` prints a line. ``changed()`` is called when the state or the pid changes.
    """

    component: Component
    log: Path
    say: Callable[[str, str], None]
    changed: Callable[[], None]
    timing: Timing = field(default_factory=Timing)
    state: ComponentState = ComponentState.WAITING
    pid: int | None = None
    #: Set when the first start has ended, well or badly. A process that ends by itself before it is ready is
    #: started once more first.
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    #: Why the last start failed.
    failure: str | None = None
    _stopping: bool = False
    _process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return self.component.name

    def view(self) -> dict[str, Any]:
        """The component as ``status --json`` shows it."""
        return {"name": self.name, "state": str(self.state), "port": self.component.port, "pid": self.pid}

    async def run(self, others: dict[str, Runner]) -> None:
        """Runs until :meth:`stop`. Raises nothing: failures are printed and kept in ``failure``."""
        for name in self.component.after:
            await others[name].settled.wait()
        if self.component.missing:
            self.say(self.name, f"not started: {self.component.missing}")
            self.failure = self.component.missing
            self._become(ComponentState.MISSING)
            self.settled.set()
        elif self.component.prepare is None:
            await self._use_external()
        else:
            await self._keep_running(self.component.prepare)

    def retire(self) -> None:
        """Prevents further restarts."""
        self._stopping = True

    async def stop(self) -> None:
        """Sends SIGTERM, waits, and kills what is left."""
        self.retire()
        process = self._process
        if process is None or process.returncode is not None:
            return
        signal_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(self.component.stop_seconds):
                await process.wait()
        except TimeoutError:
            self.say(self.name, f"did not stop within {self.component.stop_seconds:.0f} s and was killed")
        signal_group(process.pid, signal.SIGKILL)

    async def _use_external(self) -> None:
        began = time.monotonic()
        variable = self.component.external
        try:
            if not await wait_for(self.component.probe, self.component.ready_seconds):
                raise NotUsable(
                    f"the server that {variable} names does not answer. Start it, or unset {variable}."
                )
            await self._ready(False, began, f"from {variable}")
        except NotUsable as error:
            self._fail(str(error))
            self._become(ComponentState.STOPPED)
        self.settled.set()

    async def _keep_running(self, prepare: Callable[[Say], Launch]) -> None:
        pause = self.timing.first_pause
        starts = 0
        while not self._stopping:
            began = time.monotonic()
            starts += 1
            restart = self.settled.is_set()
            self._become(ComponentState.RESTARTING if restart else ComponentState.STARTING)
            ended_early = False
            try:
                launch = await asyncio.to_thread(prepare, lambda text: self.say(self.name, text))
                ended_early = await self._run_once(launch, restart, began)
            except (Missing, NotUsable, OSError, subprocess.SubprocessError) as error:
                self._fail(str(error))
            # A first start that ends early is tried once more before the run gives up: its port may have been
            # taken a moment after it was found free.
            if starts > 1 or not ended_early:
                self.settled.set()
            if self._stopping:
                break
            if time.monotonic() - began > self.timing.steady:
                pause = self.timing.first_pause
            self._become(ComponentState.RESTARTING)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self.timing.longest_pause)
        self.settled.set()
        self._become(ComponentState.STOPPED)

    async def _run_once(self, launch: Launch, restart: bool, began: float) -> bool:
        """Runs one process from start to end. Returns whether it ended by itself before it was ready."""
        await _run_all(launch.cleanup)
        port = self.component.port
        if port is not None and not await wait_for(_port_probe(port), self.timing.port):
            holder = processes.holder_of(port)
            self._fail(
                f"port {port} is in use by {holder}. End that program, or stop this run and start it again."
            )
            return False
        if self._stopping:
            return False
        process = await processes.start(launch.argv, launch.environment, self.log, launch.directory)
        self._process, self.pid = process, process.pid
        self.changed()
        try:
            ended = asyncio.create_task(process.wait())
            up = asyncio.create_task(wait_for(self.component.probe, self.component.ready_seconds))
            await asyncio.wait({ended, up}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                up.cancel()
                ended_as = f"ended with {_exit(process.returncode)} before it was ready. {self._see_log()}"
                self._fail(launch.exits.get(process.returncode or 0, ended_as))
                return True
            if not up.result():
                self._fail(f"did not answer within {self.component.ready_seconds:.0f} s. {self._see_log()}")
                signal_group(process.pid, signal.SIGKILL)
            else:
                await self._ready(restart, began, launch.note)
                self.settled.set()
                await self._until_ended_or_hung(ended)
                if not self._stopping:
                    self.say(self.name, f"{self._why_restarted(process.returncode)}; restarting")
                    if meaning := launch.exits.get(process.returncode or 0):
                        self.say(self.name, meaning)
        finally:
            # Child processes must not outlive it: a gunicorn worker would keep the port.
            signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                await process.wait()
            self._process = self.pid = None
            await _run_all(launch.cleanup)
        return False

    async def _until_ended_or_hung(self, ended: asyncio.Task[int]) -> None:
        last_answer = time.monotonic()
        while not self._stopping and time.monotonic() - last_answer < self.component.hang_seconds:
            done, _ = await asyncio.wait({ended}, timeout=self.timing.probe_interval)
            if done:
                return
            if await self.component.probe():
                last_answer = time.monotonic()
        if self._stopping:
            await ended

    def _why_restarted(self, code: int | None) -> str:
        if code is None:
            return f"has not answered for {self.component.hang_seconds:.0f} s"
        return f"ended with {_exit(code)}"

    async def _ready(self, restart: bool, began: float, note: str) -> None:
        if self.component.on_ready:
            await self.component.on_ready(restart)
        self.failure = None
        self._become(ComponentState.RUNNING)
        port = f"port {self.component.port}" if self.component.port is not None else ""
        again = "again " if restart else ""
        self.say(self.name, f"up {again}{port:<12}{time.monotonic() - began:5.1f} s   {note}".rstrip())

    def _fail(self, reason: str) -> None:
        if self._stopping:
            return
        # The same failure of several starts is printed once.
        if reason != self.failure:
            self.say(self.name, reason)
        self.failure = reason

    def _see_log(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        log = self.log.relative_to(ROOT) if self.log.is_relative_to(ROOT) else self.log
        return f"See {log}" + (f", which ends with: {lines[-1].strip():.200}" if lines else "")

    def _become(self, state: ComponentState) -> None:
        self.state = state
        self.changed()


def _port_probe(port: int) -> Probe:
    async def probe() -> bool:
        return port_is_free(port)

    return probe


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


async def _run_all(commands: Sequence[tuple[str, ...]]) -> None:
    """Runs cleanup commands. Their exit codes do not matter: often there is nothing to remove."""
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(60):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
