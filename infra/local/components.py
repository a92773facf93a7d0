"""A component of the run, and what keeps it running."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from infra.local import processes
from infra.local.ports import port_is_free
from infra.local.probes import NotUsable, Probe, wait_for
from infra.local.processes import signal_group
from infra.local.servers.tools import Launch, Missing, Say
from infra.local.state_dir import ROOT

#: Between the starts of a component that keeps dying, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
#: After so long alive, a death is a new one and not the last one's consequence.
_STEADY_SECONDS = 30.0
#: How long a component waits for its port: for the process that held it to end, or for another program.
_FREE_SECONDS = 30.0
#: Between two looks at a component that runs, in seconds.
LOOK_SECONDS = 5.0


class State(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    #: There is nothing to start: a function without its file.
    MISSING = "missing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Component:
    """What to start and how to tell that it is up.

    ``prepare`` finds (or fetches) the program, off the event loop; it is asked again at each start.
    ``on_ready`` is awaited after each successful probe, before the component counts as up; it may
    raise NotUsable. Its argument says whether this is a restart.
    Without ``prepare`` somebody else runs the component.
    """

    name: str
    port: int | None
    probe: Probe
    prepare: Callable[[Say], Launch] | None
    #: Names of components that must have come up (or have been given up) before.
    after: tuple[str, ...] = ()
    #: The stack is of no use without it.
    essential: bool = True
    ready_seconds: float = 60.0
    stop_seconds: float = 8.0
    #: Without an answer for so long it hangs. Generous: a machine that is busy must not be taken for that.
    hang_seconds: float = 60.0
    on_ready: Callable[[bool], Awaitable[None]] | None = None
    #: Why there is nothing to start.
    missing: str | None = None


@dataclass(slots=True, eq=False)
class Runner:
    """Starts one component, and again whenever it dies, on the same port."""

    component: Component
    log: Path
    say: Callable[[str, str], None]
    changed: Callable[[], None]
    state: State = State.WAITING
    pid: int | None = None
    started_at: float | None = None
    #: Set when the first start came to an end, good or bad; who died before it was up is tried once more.
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    #: Why the first start failed.
    failure: str | None = None
    _stopping: bool = False
    _process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return self.component.name

    def view(self) -> dict[str, Any]:
        return {"name": self.name, "state": str(self.state), "port": self.component.port, "pid": self.pid}

    async def run(self, others: dict[str, Runner]) -> None:
        """Until :meth:`stop`. Raises nothing; what goes wrong is said and kept in ``failure``."""
        for name in self.component.after:
            await others[name].settled.wait()
        if self.component.missing:
            self.say(self.name, f"missing: {self.component.missing}")
            self.failure = self.component.missing
            self._become(State.MISSING)
            self.settled.set()
        elif self.component.prepare is None:
            await self._use_external()
        else:
            await self._keep_running(self.component.prepare)

    async def _use_external(self) -> None:
        began = time.monotonic()
        try:
            if not await wait_for(self.component.probe, self.component.ready_seconds):
                raise NotUsable("the server that you set does not answer")
            await self._ready(False, began, "yours")
        except NotUsable as error:
            self._failed(str(error))
            self._become(State.STOPPED)
        self.settled.set()

    async def _keep_running(self, prepare: Callable[[Say], Launch]) -> None:
        pause = FIRST_PAUSE
        tries = 0
        while not self._stopping:
            began = time.monotonic()
            tries += 1
            restart = self.settled.is_set()
            self._become(State.RESTARTING if restart else State.STARTING)
            stillborn = False
            try:
                launch = await asyncio.to_thread(prepare, lambda text: self.say(self.name, text))
                stillborn = await self._one_life(launch, restart, began)
            except (Missing, NotUsable, OSError, subprocess.SubprocessError) as error:
                self._failed(str(error))
            # One death at the first start may be bad luck, and is no reason to give a whole run up.
            if tries > 1 or not stillborn:
                self.settled.set()
            if self._stopping:
                break
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._become(State.RESTARTING)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        self.settled.set()
        self._become(State.STOPPED)

    async def _one_life(self, launch: Launch, restart: bool, began: float) -> bool:
        """From its start to its end; whether that came by itself, before the component was ready."""
        await _run_all(launch.cleanup)
        port = self.component.port
        if port is not None and not await wait_for(_free(port), _FREE_SECONDS):
            holder = processes.holder_of(port)
            self._failed(f"port {port} is taken by {holder}. End it, or stop this run and start it again.")
            return False
        if self._stopping:
            return False
        process = await processes.start(launch.argv, launch.environment, self.log)
        self._process, self.pid, self.started_at = process, process.pid, time.time()
        self._become(self.state)
        try:
            ended = asyncio.create_task(process.wait())
            up = asyncio.create_task(wait_for(self.component.probe, self.component.ready_seconds))
            await asyncio.wait({ended, up}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                up.cancel()
                self._failed(f"ended with {_exit(process.returncode)} before it was ready; {self._see()}")
                return True
            if not up.result():
                self._failed(f"did not answer within {self.component.ready_seconds:.0f} s; {self._see()}")
                signal_group(process.pid, signal.SIGKILL)
            else:
                await self._ready(restart, began, launch.note)
                self.settled.set()
                await self._until_dead_or_hung(ended)
                if not self._stopping:
                    self.say(self.name, f"{self._end(process.returncode)}; starting it again")
        finally:
            # What it started must not outlive it: a worker would go on holding the port.
            signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                await process.wait()
            self._process = self.pid = None
            await _run_all(launch.cleanup)
        return False

    async def _until_dead_or_hung(self, ended: asyncio.Task[int]) -> None:
        heard = time.monotonic()
        while not self._stopping and time.monotonic() - heard < self.component.hang_seconds:
            done, _ = await asyncio.wait({ended}, timeout=LOOK_SECONDS)
            if done:
                return
            if await self.component.probe():
                heard = time.monotonic()
        if self._stopping:
            await ended

    def _end(self, code: int | None) -> str:
        if code is None:
            return f"has not answered for {self.component.hang_seconds:.0f} s"
        return f"ended with {_exit(code)}"

    async def _ready(self, restart: bool, began: float, note: str) -> None:
        if self.component.on_ready:
            await self.component.on_ready(restart)
        self.failure = None
        self._become(State.RUNNING)
        port = f"port {self.component.port}" if self.component.port is not None else ""
        again = "again " if restart else ""
        self.say(self.name, f"up {again}{port:<12}{time.monotonic() - began:5.1f} s   {note}".rstrip())

    def retire(self) -> None:
        """From now on it is not started again."""
        self._stopping = True

    async def stop(self) -> None:
        """Asks it to end, waits, and insists."""
        self.retire()
        process = self._process
        if process is None or process.returncode is not None:
            return
        signal_group(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(self.component.stop_seconds):
                await process.wait()
        except TimeoutError:
            self.say(self.name, f"did not end within {self.component.stop_seconds:.0f} s; killed")
        signal_group(process.pid, signal.SIGKILL)

    def _failed(self, why: str) -> None:
        if self._stopping:
            return
        # What fails again and again for one reason is said once.
        if why != self.failure:
            self.say(self.name, why)
        self.failure = why

    def _see(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        last = f", whose last line is: {lines[-1].strip():.200}" if lines else ""
        log = self.log.relative_to(ROOT) if self.log.is_relative_to(ROOT) else self.log
        return f"see {log}{last}"

    def _become(self, state: State) -> None:
        self.state = state
        self.changed()


def _free(port: int) -> Probe:
    async def probe() -> bool:
        return port_is_free(port)

    return probe


def _exit(code: int | None) -> str:
    if code is not None and code < 0:
        return f"signal {signal.Signals(-code).name}"
    return f"exit code {code}"


async def _run_all(commands: Sequence[tuple[str, ...]]) -> None:
    for command in commands:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        # Removing what is not there fails, and that is fine; the start that follows tells.
        try:
            async with asyncio.timeout(60):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
