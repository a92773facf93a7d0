"""A stand-in YouTube for the tests of a module, and where a local run keeps what it needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.standin.inprocess import InProcess, running
from infra.local.state_dir import StateDir
from tests.unit.youtube_support import asking


@pytest.fixture(scope="module")
def served_youtube() -> Iterator[InProcess]:
    with running() as standin:
        yield standin


@pytest.fixture
def youtube_server(served_youtube: InProcess) -> Iterator[InProcess]:
    """As it is at its start, and what this process's own clients ask."""
    served_youtube.control("reset", {})
    with asking(served_youtube):
        yield served_youtube


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path)
    state.make()
    return state
