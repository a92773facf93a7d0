"""This process's own YouTube clients, pointed at a stand-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from infra.local.standin.inprocess import InProcess
from shared import clients, config
from shared.egress import player_key
from shared.partial_answers import partial_answers


@contextmanager
def asking(standin: InProcess, **variables: str) -> Iterator[None]:
    """``variables``: the environment beyond the stand-in's addresses. Nothing is remembered of before."""
    addresses = {
        "YOUTUBE_API_ENDPOINT": standin.url,
        "YOUTUBE_API_KEY": "a-key-for-tests",
        "YOUTUBE_BASE_URL": standin.url,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (addresses | variables).items():
            patch.setenv(name, value)
        patch.setattr(clients, "_thread", threading.local())
        config.load.cache_clear()
        player_key.forget()
        partial_answers.forget()
        try:
            yield
        finally:
            clients.close_of_thread()
            player_key.forget()
            partial_answers.forget()
            config.load.cache_clear()


def requests_of(server: InProcess) -> dict[str, int]:
    """How often each of the three was asked since the stand-in's start or the last reset."""
    endpoints = server.stats()["endpoints"]
    return {name: endpoints[name]["requests"] for name in ("watch", "player", "timedtext")}
