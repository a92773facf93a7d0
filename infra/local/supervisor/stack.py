"""Describes the components of a run: the servers, the functions, the delivery, and the gateway."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from infra.deployment import WEB, cloud_name, deployed
from infra.local.persistence import ExportFailed, Exports
from infra.local.servers import heap
from infra.local.servers.elasticsearch import elasticsearch
from infra.local.servers.emulators import firestore, pubsub
from infra.local.servers.tools import Launch, Say
from infra.local.state_dir import ROOT, StateDir, write_whole
from infra.local.supervisor import environment, framework, probes, topics
from infra.local.supervisor.component import Component
from infra.local.supervisor.environment import Addresses
from infra.local.supervisor.ports import free_ports, port_is_free
from infra.local.supervisor.probes import NotUsable
from infra.pipeline import Function, Pipeline
from infra.staging import stage
from shared.config import Config

#: From the start of a server to its first answer. Downloading it takes minutes, and does not count.
_SERVER_SECONDS = 120.0
#: An external server should be running already.
_EXTERNAL_SECONDS = 20.0
_FUNCTION_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stack:
    components: tuple[Component, ...]
    #: With the numbers of the cloud, if it runs as there.
    pipeline: Pipeline
    #: The URL of each function that has a main.py.
    functions: Mapping[str, str]
    addresses: Addresses
    exports: Exports
    url: str
    #: The most memory of the Firestore emulator, in megabytes.
    memory_mb: int


def assemble(
    caller: Mapping[str, str],
    config: Config,
    pipeline: Pipeline,
    state: StateDir,
    emulator_started: Callable[[], None],
    choose_ports: Callable[[int, set[int]], list[int]] = free_ports,
    push: bool = False,
) -> Stack:
    """Chooses the ports and describes every component.

    ``caller`` is the environment of the person who starts the run. ``emulator_started`` is called after each
    start of the Pub/Sub emulator and each restart of the Firestore emulator. After the former, all messages
    are lost; after the latter, the ledger may be older than the messages.

    ``push``: as in the cloud. Each function runs from the directory that is deployed, with the environment of
    the deployment; Pub/Sub itself pushes to it; and `web` stands in for the gateway.
    """
    builder, pipeline = (_Deployed, deployed(pipeline)) if push else (_Builder, pipeline)
    return builder(caller, config, pipeline, state, emulator_started, choose_ports).stack()


class _Builder:
    push = False

    def __init__(
        self,
        caller: Mapping[str, str],
        config: Config,
        pipeline: Pipeline,
        state: StateDir,
        emulator_started: Callable[[], None],
        choose_ports: Callable[[int, set[int]], list[int]],
    ) -> None:
        self.config, self.pipeline, self.state = config, pipeline, state
        self.url = f"http://localhost:{config.port}"
        self.emulator_started = emulator_started
        self.base = environment.base(caller, state)
        self.memory_mb = config.firestore_memory_mb or heap.suitable_mb()
        kept = _last_youtube_port(state, config.port)
        # Nothing listens on these two yet, so the system might offer them.
        reserved = {config.port, kept or config.port}
        self.ports = iter(choose_ports(len(pipeline.functions) + 7, reserved))
        fake = not environment.real_youtube(caller)
        self.addresses = Addresses(
            pubsub=config.pubsub_emulator_host or f"127.0.0.1:{next(self.ports)}",
            firestore=config.firestore_emulator_host or f"127.0.0.1:{next(self.ports)}",
            elasticsearch=config.elasticsearch_url or f"http://127.0.0.1:{next(self.ports)}",
            youtube=f"http://127.0.0.1:{kept or next(self.ports)}" if fake else None,
            youtube_proxy=f"http://127.0.0.1:{next(self.ports)}" if fake else None,
        )
        self.exports = Exports(state, config.google_cloud_project, self.addresses.firestore)
        self.python = environment.for_python(caller, state, config, self.addresses)

    def stack(self) -> Stack:
        functions = [self._function(function) for function in self.pipeline.functions]
        urls = {
            component.name: f"http://127.0.0.1:{component.port}"
            for component in functions
            if component.missing is None
        }
        servers = [self._elasticsearch(), self._pubsub(urls), self._firestore()]
        if self.addresses.youtube and self.addresses.youtube_proxy:
            servers.append(self._youtube(self.addresses.youtube, self.addresses.youtube_proxy))
        components = (*servers, *functions, *self._between(urls))
        return Stack(components, self.pipeline, urls, self.addresses, self.exports, self.url, self.memory_mb)

    def _between(self, urls: Mapping[str, str]) -> tuple[Component, ...]:
        """The programs that stand between the functions, and who sends them messages and requests."""
        return self._delivery(urls), self._gateway(urls)

    def _pubsub(self, urls: Mapping[str, str]) -> Component:
        address = self.addresses.pubsub
        port = _port_of(address)

        async def on_ready(restart: bool) -> None:
            push_to = urls if self.push else None
            await topics.create(self.pipeline, address, self.config.google_cloud_project, push_to)
            self.emulator_started()

        component = Component(
            "pubsub",
            port,
            probes.listening(address),
            lambda say: pubsub(self.base, self.state, port, say),
            ready_seconds=_SERVER_SECONDS,
            on_ready=on_ready,
        )
        return _external(component, "PUBSUB_EMULATOR_HOST") if self.config.pubsub_emulator_host else component

    def _firestore(self) -> Component:
        address = self.addresses.firestore
        port = _port_of(address)
        self.state.loading.unlink(missing_ok=True)

        def prepare(say: Say) -> Launch:
            saved = self.exports.latest()
            if saved and not self.push:
                # Until it is loaded, neither messages nor requests reach the functions.
                self.state.loading.touch()
            at_start, saved_mb = saved if self.push else None, self.exports.megabytes()
            limits = {"memory_mb": self.memory_mb, "saved_mb": saved_mb}
            return firestore(self.base, self.state, port, at_start, say, **limits)

        async def on_ready(restart: bool) -> None:
            if not self.push:
                await self._load()
            if restart:
                self.emulator_started()

        component = Component(
            "firestore",
            port,
            probes.any_answer(f"http://{address}/"),
            prepare,
            ready_seconds=_SERVER_SECONDS,
            on_ready=on_ready,
        )
        if self.config.firestore_emulator_host:
            return _external(component, "FIRESTORE_EMULATOR_HOST")
        return component

    async def _load(self) -> None:
        """Raises NotUsable."""
        try:
            await self.exports.load()
        except ExportFailed as error:
            used = heap.most_used_mb(self.state.gc_log)
            full = 100 * used >= heap.FULL_PERCENT * self.memory_mb
            reason = heap.does_not_fit(self.memory_mb) if full else f"could not load the last save: {error}"
            # People without a terminal read it, too, instead of waiting.
            write_whole(self.state.loading, reason)
            raise NotUsable(reason) from error
        self.state.loading.unlink(missing_ok=True)

    def _elasticsearch(self) -> Component:
        url = self.addresses.elasticsearch
        port = urlsplit(url).port
        probe = probes.elasticsearch(url, self.config.elasticsearch_api_key)
        if self.config.elasticsearch_url is not None or port is None:
            return _external(Component("elasticsearch", port, probe, None), "ELASTICSEARCH_URL")
        transport = next(self.ports)
        return Component(
            "elasticsearch",
            port,
            probe,
            lambda say: elasticsearch(self.base, self.state, port, transport, say),
            ready_seconds=_SERVER_SECONDS,
            stop_seconds=20,
        )

    def _youtube(self, url: str, proxy_url: str) -> Component:
        port, proxy_port = _port_of(urlsplit(url).netloc), _port_of(urlsplit(proxy_url).netloc)
        _keep_youtube_port(self.state, port)
        options = ("--port", str(port), "--proxy-port", str(proxy_port))
        return self._program("youtube", "infra.local.fake_youtube", port, options)

    def _function(self, function: Function) -> Component:
        port = next(self.ports)
        source = ROOT / "functions" / function.name / "main.py"
        argv = framework.command(function.name, source, port)
        # Cloud Run sets K_SERVICE, too.
        launch = Launch(argv, self.python | self._own(function) | {"K_SERVICE": function.name}, "")
        return Component(
            function.name,
            port,
            # The framework answers this path. The function itself is not called, because that may start work.
            probes.any_answer(f"http://127.0.0.1:{port}/robots.txt"),
            lambda say: launch,
            essential=False,
            ready_seconds=_FUNCTION_SECONDS,
            missing=None if source.is_file() else f"{source.relative_to(ROOT)} does not exist",
        )

    def _own(self, function: Function) -> dict[str, str]:
        # gunicorn creates a control socket in this directory. Its default is the home directory.
        sockets = self.state.run / "sockets" / function.name
        sockets.mkdir(parents=True, exist_ok=True)
        return {"THREADS": str(function.threads), "XDG_RUNTIME_DIR": str(sockets)}

    def _delivery(self, urls: Mapping[str, str]) -> Component:
        fed = [subscription.name for subscription in self.pipeline.subscriptions if subscription.name in urls]
        port = next(self.ports)
        functions = [f"--function={name}={urls[name]}" for name in fed]
        pauses = ("--loading", str(self.state.loading), "--full", str(self.state.full))
        options = ("--port", str(port), "--changes", str(self.state.changes), *pauses, *functions)
        component = self._program("delivery", "infra.local.delivery", port, options, "/healthz")
        # It starts after the functions that it calls: every failed delivery counts as an attempt.
        return replace(component, after=("pubsub", *fed), stop_seconds=15)

    def _gateway(self, urls: Mapping[str, str]) -> Component:
        port = self.config.port
        public = [function.name for function in self.pipeline.functions if function.routes]
        arguments = [f"--function={name}={urls[name]}" for name in public if name in urls]
        frontend, changes = str(ROOT / "frontend"), str(self.state.changes)
        files = ("--frontend", frontend, "--changes", changes, "--loading", str(self.state.loading))
        options = ("--port", str(port), *files, *arguments)
        return self._program("gateway", "infra.local.gateway", port, options)

    def _program(
        self, name: str, module: str, port: int, options: tuple[str, ...], path: str = "/"
    ) -> Component:
        """A Python program of this repository. ``path`` is what the probe asks for."""
        launch = Launch((sys.executable, "-m", module, *options), self.python, "")
        return Component(name, port, probes.any_answer(f"http://127.0.0.1:{port}{path}"), lambda say: launch)


class _Deployed(_Builder):
    """The functions of a deployment without a domain."""

    push = True

    def _between(self, urls: Mapping[str, str]) -> tuple[Component, ...]:
        return ()

    def _function(self, function: Function) -> Component:
        port = self.config.port if function.name == WEB else next(self.ports)
        directory = self.state.run / "deployed" / function.name
        run = self.python | self._own(function) | {"PUBLIC_URL": self.url}
        variables = environment.as_deployed(function, self.pipeline, run)
        variables["K_SERVICE"] = cloud_name(function.name)

        def prepare(say: Say) -> Launch:
            # Whoever runs the staged code may leave files beside it.
            shutil.rmtree(directory, ignore_errors=True)
            argv = framework.command(function.name, stage(function.name, directory) / "main.py", port)
            return Launch(argv, variables, "", directory=directory)

        return Component(
            function.name,
            port,
            probes.any_answer(f"http://127.0.0.1:{port}/robots.txt"),
            prepare,
            essential=False,
            ready_seconds=_FUNCTION_SECONDS,
        )


def _external(component: Component, variable: str) -> Component:
    """The same component, but with a server that the caller has started."""
    return replace(component, prepare=None, external=variable, ready_seconds=_EXTERNAL_SECONDS)


def _last_youtube_port(state: StateDir, gateway: int) -> int | None:
    """The port of the fake YouTube in the last run, if it is free.

    Stored addresses of thumbnails contain it. With another port they are wrong until the next indexing.
    """
    try:
        port = int((state.data / "youtube-port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return port if port != gateway and port_is_free(port) else None


def _keep_youtube_port(state: StateDir, port: int) -> None:
    state.data.mkdir(parents=True, exist_ok=True)
    (state.data / "youtube-port").write_text(str(port), encoding="ascii")


def _port_of(address: str) -> int:
    port = urlsplit(f"//{address}").port
    if port is None:
        raise ValueError(f"expected HOST:PORT, found {address!r}")
    return port
