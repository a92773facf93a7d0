"""infra/local/supervisor/stack.py: the ports of the components, and servers that the caller names."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

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
    tmp_path: Path, variables: Mapping[str, str], ports: Ports | None = None
) -> dict[str, Component]:
    config = Config.from_env(variables)
    state = StateDir(tmp_path)
    stack = assemble(variables, config, load_pipeline(config), state, lambda: None, ports or Ports())
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
