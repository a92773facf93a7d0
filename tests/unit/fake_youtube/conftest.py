"""A fake YouTube for the tests of a module, and client libraries for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.fake_youtube.live_server import LiveServer, live_server
from tests.unit.fake_youtube.clients import Clients


@pytest.fixture(scope="module")
def shared_server() -> Iterator[LiveServer]:
    with live_server() as server:
        yield server


@pytest.fixture
def server(shared_server: LiveServer) -> LiveServer:
    """The server of the module, reset to the state at its start."""
    shared_server.control("reset", {})
    return shared_server


@pytest.fixture
def clients(server: LiveServer) -> Iterator[Clients]:
    clients = Clients(server)
    yield clients
    clients.close()
