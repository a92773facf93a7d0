"""infra/local/supervisor/ports.py: free ports are different, and no other program gets them."""

from __future__ import annotations

import socket
import sys

import pytest

from infra.local.supervisor.ports import free_ports, port_is_free


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


def test_an_excluded_port_is_not_chosen() -> None:
    middle = sorted(free_ports(41))[20]
    assert min(free_ports(40, exclude=range(middle))) >= middle


def test_a_port_with_a_server_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not port_is_free(server.getsockname()[1])


def test_a_connection_that_is_still_closing_does_not_block_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    with socket.socket() as strict, pytest.raises(OSError, match="in use"):
        strict.bind(("127.0.0.1", port))
    assert port_is_free(port)
