"""A fake YouTube for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.local.fake_youtube.live_server import LiveServer, live_server
from shared.config import Config
from shared.youtube.data_api import DataApi
from tests.unit.youtube.support import Process


@pytest.fixture(scope="module")
def served_youtube() -> Iterator[LiveServer]:
    with live_server() as fake_youtube:
        yield fake_youtube


@pytest.fixture
def youtube(served_youtube: LiveServer) -> LiveServer:
    """The fake YouTube, as it is at its start."""
    served_youtube.control("reset", {})
    return served_youtube


@pytest.fixture
def process(youtube: LiveServer) -> Iterator[Process]:
    """A process that asks the fake YouTube and has asked nothing yet."""
    with Process(youtube.url) as made:
        yield made


@pytest.fixture
def api(youtube: LiveServer) -> Iterator[DataApi]:
    made = DataApi(Config(youtube_api_endpoint=youtube.url, youtube_api_key="a-key-for-tests"))
    yield made
    made.close()
