"""The ways of one process to YouTube."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from time import monotonic
from typing import Any

import pytest

from shared import breaker, clients, config, documents, routes
from shared.breaker import RouteClosed
from shared.pacer import FIRST_CONCURRENCY
from shared.window import Window, fields_of
from tests.unit.document_support import Document


@pytest.fixture
def two_ways(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Document]]:
    monkeypatch.setenv("PROXY_URL", "http://user:secret@127.0.0.1:9")
    monkeypatch.setenv("FETCH_CONCURRENCY", "4")
    separate = {name: Document() for name in ("main", "proxy")}
    monkeypatch.setattr(documents, "read", lambda path: separate[_kind(path)].read(path))
    monkeypatch.setattr(breaker, "Commit", lambda: _Either(separate))
    caches = (config.load, routes.gates, routes._places)
    for each in caches:
        each.cache_clear()
    yield separate
    for each in caches:
        each.cache_clear()


def _kind(path: str) -> str:
    return "proxy" if "proxy" in path else "main"


class _Either:
    def __init__(self, separate: Mapping[str, Document]) -> None:
        self._separate = separate

    def create(self, path: str, fields: Mapping[str, Any]) -> Document:
        return self._separate[_kind(path)].create(path, fields)

    def update(self, path: str, fields: Mapping[str, Any], *, unchanged_since: datetime) -> Document:
        return self._separate[_kind(path)].update(path, fields, unchanged_since=unchanged_since)


def test_all_ways_together_take_no_more_videos_than_are_allowed_at_once(two_ways: object) -> None:
    """Four are on the direct way when it is blocked: the proxy takes none before one of them is back."""
    assert FIRST_CONCURRENCY > 4
    entered, done = threading.Barrier(5), threading.Event()

    def direct() -> None:
        with routes.leave("v", 5) as leave:
            assert leave.proxies is None
            leave.sending()
            entered.wait(5)
            if threading.current_thread().name == "refused":
                leave.blocked(weak=False)
                entered.wait(5)
            else:
                entered.wait(5)
                done.wait(10)

    names = ["refused", "a", "b", "c"]
    threads = [threading.Thread(target=direct, name=each) for each in names]
    for each in threads:
        each.start()
    entered.wait(5)
    began = monotonic()
    with pytest.raises(RouteClosed) as closed, routes.leave("w", 0.2):
        pass
    assert not closed.value.refused
    assert 0.2 <= monotonic() - began < 1
    entered.wait(5)
    threads[0].join(5)
    with routes.leave("w", 5) as leave:
        assert leave.proxies is not None
        with pytest.raises(RouteClosed), routes.leave("x", 0):
            pass
    done.set()
    for each in threads:
        each.join(5)
    assert clients.youtube_session().way is None


def test_a_video_that_waits_for_its_turn_does_not_leave_by_the_paid_proxy(
    two_ways: dict[str, Document],
) -> None:
    two_ways["main"].data = fields_of(Window(rate=0.5))
    with routes.leave("v", 5) as leave:
        assert leave.proxies is None
        with pytest.raises(RouteClosed) as closed, routes.leave("w", 0):
            pass
        assert not closed.value.refused
