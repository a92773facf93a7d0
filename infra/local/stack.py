"""The components of a local run: the servers, the functions of the pipeline, and what joins them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from infra.local import environment, framework, probes, topics
from infra.local.components import Component
from infra.local.environment import Addresses
from infra.local.persistence import Exports
from infra.local.ports import free_ports, port_is_free
from infra.local.servers.elasticsearch import elasticsearch
from infra.local.servers.emulators import firestore, pubsub
from infra.local.servers.tools import Launch
from infra.local.state_dir import ROOT, StateDir
from infra.pipeline import Function, Pipeline
from shared.config import Config

#: Fetching a server for the first time takes minutes, and is not counted: only its start is.
_SERVER_SECONDS = 120.0
_FUNCTION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stack:
    """``functions``: where each function that exists answers."""

    components: tuple[Component, ...]
    functions: Mapping[str, str]
    addresses: Addresses
    exports: Exports
    url: str


def assemble(
    caller: Mapping[str, str],
    config: Config,
    pipeline: Pipeline,
    state: StateDir,
    emulator_started: Callable[[], None],
) -> Stack:
    """Chooses the ports and describes every component.

    ``emulator_started``: called whenever the Pub/Sub or Firestore emulator begins, that is, when
    messages on their way are lost, or the ledger is older than the messages.
    """
    builder = _Builder(caller, config, pipeline, state, emulator_started)
    return builder.stack()


def _kept_port(state: StateDir, gateway: int) -> int | None:
    """The stand-in's port of the last run, if it is free: the stored addresses of pictures contain it.

    Otherwise the pictures come back with the next indexing.
    """
    try:
        port = int((state.data / "youtube-port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return port if port != gateway and port_is_free(port) else None


def _keep_port(state: StateDir, port: int) -> None:
    state.data.mkdir(parents=True, exist_ok=True)
    (state.data / "youtube-port").write_text(str(port), encoding="ascii")


class _Builder:
    def __init__(
        self,
        caller: Mapping[str, str],
        config: Config,
        pipeline: Pipeline,
        state: StateDir,
        emulator_started: Callable[[], None],
    ) -> None:
        self.caller, self.config, self.pipeline, self.state = caller, config, pipeline, state
        self.emulator_started = emulator_started
        self.base = environment.base(caller, state)
        kept = _kept_port(state, config.port)
        # Nobody listens on these two yet, so the system may offer them.
        reserved = {config.port, kept or config.port}
        self.ports = iter(free_ports(len(pipeline.functions) + 7, exclude=reserved))
        self.addresses = Addresses(
            pubsub=config.pubsub_emulator_host or f"127.0.0.1:{next(self.ports)}",
            firestore=config.firestore_emulator_host or f"127.0.0.1:{next(self.ports)}",
            elasticsearch=config.elasticsearch_url or f"http://127.0.0.1:{next(self.ports)}",
            youtube=self._unless_real(caller, kept),
            youtube_proxy=self._unless_real(caller),
        )
        self.exports = Exports(state, config.google_cloud_project, self.addresses.firestore)
        self.python = environment.for_python(caller, state, config, self.addresses)

    def _unless_real(self, caller: Mapping[str, str], kept: int | None = None) -> str | None:
        if environment.real_youtube(caller):
            return None
        return f"http://127.0.0.1:{kept or next(self.ports)}"

    def stack(self) -> Stack:
        functions = [self._function(function) for function in self.pipeline.functions]
        urls = {
            component.name: f"http://127.0.0.1:{component.port}"
            for component in functions
            if component.missing is None
        }
        servers = [self._elasticsearch(), self._pubsub(), self._firestore()]
        if self.addresses.youtube:
            servers.append(self._stand_in(self.addresses.youtube))
        components = (*servers, *functions, self._delivery(urls), self._gateway(urls))
        return Stack(components, urls, self.addresses, self.exports, f"http://localhost:{self.config.port}")

    def _pubsub(self) -> Component:
        address = self.addresses.pubsub
        port = _port_of(address)

        async def on_ready(restart: bool) -> None:
            await topics.create(self.pipeline, address, self.config.google_cloud_project)
            self.emulator_started()

        own = self.config.pubsub_emulator_host is None
        return Component(
            "pubsub",
            port,
            probes.listening(address),
            (lambda say: pubsub(self.base, self.state, port, say)) if own else None,
            ready_seconds=_SERVER_SECONDS if own else 20,
            on_ready=on_ready,
        )

    def _firestore(self) -> Component:
        address = self.addresses.firestore
        port = _port_of(address)

        async def on_ready(restart: bool) -> None:
            if restart:
                self.emulator_started()

        own = self.config.firestore_emulator_host is None
        return Component(
            "firestore",
            port,
            probes.any_answer(f"http://{address}/"),
            (lambda say: firestore(self.base, self.state, port, self.exports.latest(), say)) if own else None,
            ready_seconds=_SERVER_SECONDS if own else 20,
            on_ready=on_ready,
        )

    def _elasticsearch(self) -> Component:
        url = self.addresses.elasticsearch
        port = urlsplit(url).port
        probe = probes.elasticsearch(url, self.config.elasticsearch_api_key)
        if self.config.elasticsearch_url is not None or port is None:
            return Component("elasticsearch", port, probe, None, ready_seconds=20)
        transport = next(self.ports)
        return Component(
            "elasticsearch",
            port,
            probe,
            lambda say: elasticsearch(self.base, self.state, port, transport, say),
            ready_seconds=_SERVER_SECONDS,
            stop_seconds=20,
        )

    def _stand_in(self, url: str) -> Component:
        port = _port_of(urlsplit(url).netloc)
        _keep_port(self.state, port)
        proxy = _port_of(urlsplit(self.addresses.youtube_proxy or "").netloc)
        options = ("--port", str(port), "--proxy-port", str(proxy))
        return self._python_module("youtube", "infra.local.standin", port, options)

    def _function(self, function: Function) -> Component:
        port = next(self.ports)
        source = ROOT / "functions" / function.name / "main.py"
        argv = framework.command(function.name, source, function.trigger, port)
        # gunicorn opens a control socket, in the home directory if it is not told better.
        sockets = self.state.run / "sockets" / function.name
        sockets.mkdir(parents=True, exist_ok=True)
        # K_SERVICE: as Cloud Run sets it.
        own = {
            "THREADS": str(function.threads),
            "XDG_RUNTIME_DIR": str(sockets),
            "K_SERVICE": function.name,
        }
        launch = Launch(argv, self.python | own, "")
        return Component(
            function.name,
            port,
            # The framework answers this path itself: a function's own may start its work.
            probes.any_answer(f"http://127.0.0.1:{port}/robots.txt"),
            lambda say: launch,
            essential=False,
            ready_seconds=_FUNCTION_SECONDS,
            missing=None if source.is_file() else f"{source.relative_to(ROOT)} does not exist",
        )

    def _delivery(self, urls: Mapping[str, str]) -> Component:
        fed = [subscription.name for subscription in self.pipeline.subscriptions if subscription.name in urls]
        port = next(self.ports)
        functions = [f"--function={name}={urls[name]}" for name in fed]
        options = ("--port", str(port), "--changes", str(self.state.changes), *functions)
        component = self._python_module("delivery", "infra.local.delivery", port, options, "/healthz")
        # Not before what it delivers to: every failed delivery counts as an attempt.
        return replace(component, after=("pubsub", *fed), stop_seconds=15)

    def _gateway(self, urls: Mapping[str, str]) -> Component:
        port = self.config.port
        public = [function.name for function in self.pipeline.functions if function.routes]
        arguments = [f"--function={name}={urls[name]}" for name in public if name in urls]
        frontend, changes = str(ROOT / "frontend"), str(self.state.changes)
        options = ("--port", str(port), "--frontend", frontend, "--changes", changes, *arguments)
        return self._python_module("gateway", "infra.local.gateway", port, options)

    def _python_module(
        self, name: str, module: str, port: int, options: tuple[str, ...], path: str = "/"
    ) -> Component:
        launch = Launch((sys.executable, "-m", module, *options), self.python, "")
        probe = probes.any_answer(f"http://127.0.0.1:{port}{path}")
        missing = None if importlib.util.find_spec(module) else f"there is no {module}"
        return Component(name, port, probe, lambda say: launch, missing=missing, essential=missing is None)


def _port_of(address: str) -> int:
    port = urlsplit(f"//{address}").port
    if port is None:
        raise ValueError(f"expected HOST:PORT, found {address!r}")
    return port
