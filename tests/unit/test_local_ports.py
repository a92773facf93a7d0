"""Free ports: all different, kept from other programs, and never the run's own PORT."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.local.components import Component
from infra.local.ports import free_ports, port_is_free
from infra.local.stack import assemble
from infra.local.state_dir import StateDir
from infra.pipeline import load_pipeline
from shared.config import Config


def test_free_ports_are_different_and_a_server_can_listen_on_each() -> None:
    found = [*free_ports(40), *free_ports(40)]
    assert len(set(found)) == 80
    for port in found:
        with socket.create_server(("127.0.0.1", port)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not let a server share a held port")
def test_no_other_program_is_given_a_chosen_port() -> None:
    (port,) = free_ports(1)
    # Without SO_REUSEADDR the system treats the port as it does when it chooses one.
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))


def test_an_excluded_port_is_not_found() -> None:
    middle = sorted(free_ports(41))[20]
    assert min(free_ports(40, exclude=range(middle))) >= middle


def test_a_port_with_a_server_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_is_free(server.getsockname()[1])


def test_a_connection_that_is_still_closing_keeps_no_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    with socket.socket() as strict, pytest.raises(OSError, match="in use"):
        strict.bind(("127.0.0.1", port))
    assert port_is_free(port)


def _assembled(tmp_path: Path, port: int) -> tuple[Component, ...]:
    config = Config.from_env({"PORT": str(port)})
    return assemble({}, config, load_pipeline(config), StateDir(tmp_path), lambda: None).components


def _ports(components: tuple[Component, ...]) -> dict[str, int]:
    return {component.name: component.port for component in components if component.port is not None}


def _offer_first(port: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The system offers this port before any other; the ports that it has offered so far."""
    offered: list[int] = []

    class Socket(socket.socket):
        def bind(self, address: Any) -> None:
            if address[1] == 0 and not offered:
                address = (address[0], port)
                offered.append(port)
            super().bind(address)

    monkeypatch.setattr(socket, "socket", Socket)
    return offered


def test_no_component_is_given_the_port_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    offered = _offer_first(port, monkeypatch)
    found = _ports(_assembled(tmp_path, port))
    assert offered == [port]
    assert [name for name, each in found.items() if each == port] == ["gateway"]
    assert len(set(found.values())) == len(found)
    assert port_is_free(port)


def test_the_stand_in_keeps_its_port_from_run_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(1)
    (tmp_path / "data").mkdir()
    kept = tmp_path / "data" / "youtube-port"
    kept.write_text(str(port))
    with monkeypatch.context() as patch:
        assert _offer_first(port, patch) == []
        found = _ports(_assembled(tmp_path, 8080))
    assert [name for name, each in found.items() if each == port] == ["youtube"]
    assert kept.read_text() == str(port)


def test_a_kept_port_that_is_taken_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    kept = tmp_path / "data" / "youtube-port"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        kept.write_text(str(port))
        assert port not in _ports(_assembled(tmp_path, 8080)).values()
    # Nor is it the stand-in's if the caller has chosen it for the run.
    kept.write_text(str(port))
    found = _ports(_assembled(tmp_path, port))
    assert [name for name, each in found.items() if each == port] == ["gateway"]
