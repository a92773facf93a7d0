"""infra/local/supervisor/stack.py: the ports of the components, and servers that the caller names."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from infra.local.servers.tools import Launch
from infra.local.state_dir import StateDir
from infra.local.supervisor.component import Component
from infra.local.supervisor.ports import free_ports
from infra.local.supervisor.stack import assemble
from infra.pipeline import load_pipeline
from shared.config import Config


class Ports:
    """Chooses ports as the supervisor does, and remembers which ones were excluded."""

    def __init__(self) -> None:
        self.excluded: set[int] = set()

    def __call__(self, count: int, exclude: set[int]) -> list[int]:
        self.excluded = exclude
        return free_ports(count, exclude)


def _assemble(
    tmp_path: Path, variables: Mapping[str, str], ports: Ports | None = None, push: bool = False
) -> dict[str, Component]:
    config = Config.from_env(variables)
    state = StateDir(tmp_path)
    stack = assemble(variables, config, load_pipeline(config), state, lambda: None, ports or Ports(), push)
    return {component.name: component for component in stack.components}


def _with_port(components: Mapping[str, Component], port: int) -> list[str]:
    return [name for name, component in components.items() if component.port == port]


def _keep_youtube_port(tmp_path: Path, port: int) -> Path:
    (tmp_path / "data").mkdir()
    kept = tmp_path / "data" / "youtube-port"
    kept.write_text(str(port))
    return kept


def test_only_the_gateway_gets_the_port_of_the_run(tmp_path: Path) -> None:
    ports = Ports()
    components = _assemble(tmp_path, {"PORT": "8123"}, ports)
    assert 8123 in ports.excluded
    assert _with_port(components, 8123) == ["gateway"]
    chosen = [component.port for component in components.values()]
    assert len(set(chosen)) == len(chosen)


def test_the_fake_youtube_keeps_its_port_from_run_to_run(tmp_path: Path) -> None:
    # free_ports keeps this one bound, but a server can listen on it.
    (port,) = free_ports(1)
    kept = _keep_youtube_port(tmp_path, port)
    ports = Ports()
    components = _assemble(tmp_path, {}, ports)
    assert port in ports.excluded
    assert _with_port(components, port) == ["youtube"]
    assert kept.read_text() == str(port)


def test_a_kept_port_that_is_in_use_is_replaced(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        kept = _keep_youtube_port(tmp_path, port)
        assert _with_port(_assemble(tmp_path, {}), port) == []
    assert kept.read_text() != str(port)


def test_a_kept_port_that_the_caller_has_chosen_for_the_run_is_replaced(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    _keep_youtube_port(tmp_path, port)
    assert _with_port(_assemble(tmp_path, {"PORT": str(port)}), port) == ["gateway"]


def test_servers_that_the_caller_names_are_not_started(tmp_path: Path) -> None:
    components = _assemble(
        tmp_path,
        {
            "PUBSUB_EMULATOR_HOST": "127.0.0.1:1",
            "FIRESTORE_EMULATOR_HOST": "127.0.0.1:2",
            "ELASTICSEARCH_URL": "https://search.example.org",
            "YOUTUBE_API_KEY": "real",
        },
    )
    external = {name: each.external for name, each in components.items() if each.prepare is None}
    assert external == {
        "pubsub": "PUBSUB_EMULATOR_HOST",
        "firestore": "FIRESTORE_EMULATOR_HOST",
        "elasticsearch": "ELASTICSEARCH_URL",
    }
    assert "youtube" not in components


def _launch(component: Component) -> Launch:
    assert component.prepare is not None
    return component.prepare(lambda text: None)


def test_with_push_web_gets_the_port_and_nothing_stands_between(tmp_path: Path) -> None:
    components = _assemble(tmp_path, {"PORT": "8123"}, push=True)
    assert _with_port(components, 8123) == ["web"]
    pushed = {"planner", "fetcher", "indexer", "embedder", "dead_letters"}
    functions = pushed | {"web", "sweep", "refresh", "reindex"}
    assert set(components) == functions | {"elasticsearch", "pubsub", "firestore", "youtube"}


def test_with_push_a_function_gets_no_variable_that_the_deployment_does_not_set(tmp_path: Path) -> None:
    caller = {
        "PATH": "/bin",
        "HTTPS_PROXY": "http://proxy.test",
        "OPERATOR_TOKEN": "an-operator",
        "FAILPOINTS_DIR": str(tmp_path),
        "JOBS_PER_HOUR": "5",
        "YOUTUBE_API_KEY": "real",
        "EGRESS_NAME": "home",
    }
    components = _assemble(tmp_path, caller, push=True)
    launches = {name: _launch(components[name]) for name in ("web", "fetcher", "planner")}
    for name, launch in launches.items():
        assert launch.environment["K_SERVICE"] == name
        assert launch.environment["PATH"] == "/bin"
        forbidden = {"HTTPS_PROXY", "OPERATOR_TOKEN", "FAILPOINTS_DIR", "JOBS_PER_HOUR", "PYTHONPATH"}
        assert launch.environment.keys().isdisjoint(forbidden | {"STALLED_AFTER_SECONDS", "LOCAL_STATE_DIR"})
        assert launch.directory == tmp_path / "run" / "deployed" / name
        assert (launch.directory / "main.py").is_file()
    with_key = [name for name, launch in launches.items() if "YOUTUBE_API_KEY" in launch.environment]
    assert with_key == ["web", "planner"]
    named = [name for name, launch in launches.items() if "EGRESS_NAME" in launch.environment]
    assert named == ["fetcher"]
    assert launches["web"].environment["PUBLIC_URL"] == "http://localhost:8080"


def test_with_push_a_function_is_staged_anew_at_each_start(tmp_path: Path) -> None:
    web = _assemble(tmp_path, {}, push=True)["web"]
    directory = _launch(web).directory
    (directory / "__pycache__").mkdir()
    (directory / "main.py").write_text("changed")
    _launch(web)
    assert "changed" not in (directory / "main.py").read_text()
    assert not (directory / "__pycache__").exists()
