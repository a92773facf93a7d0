"""A stand-in for the tests of a module, and clients for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.standin.inprocess import InProcess, running
from tests.unit.standin.support import Clients


@pytest.fixture(scope="module")
def shared_standin() -> Iterator[InProcess]:
    with running() as standin:
        yield standin


@pytest.fixture
def standin(shared_standin: InProcess) -> InProcess:
    """As it is at its start."""
    shared_standin.control("reset", {})
    return shared_standin


@pytest.fixture
def clients(standin: InProcess) -> Iterator[Clients]:
    made = Clients(standin)
    yield made
    made.close()
