"""A component of a local run: a server, a function, or one of our own programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from infra.local.servers.tools import Launch, Say
from infra.local.supervisor.probes import Probe


class ComponentState(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    #: There is nothing to start, because the function has no main.py.
    MISSING = "missing"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Component:
    """How to start a component, and how to see that it works. Times are in seconds."""

    name: str
    port: int | None
    probe: Probe
    #: Finds or downloads the program. Called in a thread before each start. None for an external server.
    prepare: Callable[[Say], Launch] | None
    #: The environment variable that names an external server. The supervisor does not start that server.
    external: str | None = None
    #: Components whose first start must have ended, well or badly, before this one is started.
    after: tuple[str, ...] = ()
    #: The whole run stops if this component cannot be started.
    essential: bool = True
    ready_seconds: float = 60.0
    stop_seconds: float = 8.0
    #: Without a successful probe for this long, the component is restarted. A busy machine must not cause a
    #: restart.
    hang_seconds: float = 60.0
    #: Awaited after the probe succeeds. The component is up when this returns. It may raise NotUsable.
    #: Its argument is True for a restart.
    on_ready: Callable[[bool], Awaitable[None]] | None = None
    #: Why there is nothing to start.
    missing: str | None = None
