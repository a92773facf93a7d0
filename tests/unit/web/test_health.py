"""Health: every dependency is asked, and any error of one is reported."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared import __version__
from shared.config import ConfigError
from shared.errors import Full, Transient
from shared.web.health import KEPT, TIMEOUT, Health, check
from tests.unit.functions import client, json_logs, load


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    with json_logs():
        yield capsys


def answers(timeout: float) -> None:
    assert timeout == TIMEOUT


def failing(error: Exception) -> Any:
    def probe(timeout: float) -> None:
        raise error

    return probe


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (
            Transient("A part of the search index cannot be read."),
            "A part of the search index cannot be read.",
        ),
        (ConfigError("ELASTICSEARCH_URL: expected"), "ELASTICSEARCH_URL: expected"),
        (Full("The library fills its memory."), "The library fills its memory."),
        (ConnectionRefusedError("10.0.0.7:9200"), "does not answer"),
    ],
)
def test_an_error_is_described_without_anything_private(error: Exception, found: str) -> None:
    with client("health", state=Health({"one": answers, "other": failing(error)})) as web:
        answer = web.get("/api/health")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "status": "degraded",
        "dependencies": {"one": "ok", "other": found},
        "version": __version__,
    }


def test_the_log_says_why_a_dependency_does_not_answer(logged: pytest.CaptureFixture[str]) -> None:
    check({"one": failing(ConnectionRefusedError("10.0.0.7:9200"))})
    (line,) = [json.loads(each) for each in logged.readouterr().out.splitlines()]
    assert (line["dependency"], line["reason"]) == ("one", "ConnectionRefusedError('10.0.0.7:9200')")


def test_a_missing_model_is_said_and_is_no_trouble_of_the_site() -> None:
    said = "Search by meaning is off, because its model is missing."
    state = Health({"one": lambda timeout: None}, lambda: said)
    found = state.check()
    assert (found["status"], found["by_meaning"]) == ("ok", said)


def test_all_dependencies_answer() -> None:
    with client("health", state=Health({"one": answers, "other": answers})) as web:
        answer = web.get("/api/health", headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "dependencies": {"one": "ok", "other": "ok"},
        "version": __version__,
        "by_meaning": "off",
    }


def test_dependencies_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def waits_for_the_other(timeout: float) -> None:
        both.wait(10)

    assert check({"one": waits_for_the_other, "other": waits_for_the_other})["status"] == "ok"


def test_every_dependency_is_asked() -> None:
    assert set(load("health")[1].state._probes) == {"firestore", "pubsub", "elasticsearch"}


def test_an_answer_is_remembered_for_some_seconds() -> None:
    """Anybody may ask for it. Before, each request was one of each dependency."""
    asked: list[float] = []
    now = 100.0
    health = Health({"one": asked.append}, monotonic=lambda: now)
    first = health.check()
    for _ in range(50):
        assert health.check() == first
    now += KEPT - 0.1
    health.check()
    assert len(asked) == 1
    now += 0.2
    health.check()
    assert len(asked) == 2


@pytest.mark.parametrize("broken", [False, True])
def test_what_has_changed_is_seen_after_those_seconds(broken: bool) -> None:
    now, working = 0.0, broken

    def probe(timeout: float) -> None:
        if not working:
            raise Transient("It does not answer.")

    health = Health({"one": probe}, monotonic=lambda: now)
    before = health.check()["status"]
    working = not working
    assert health.check()["status"] == before
    now += KEPT
    assert {before, health.check()["status"]} == {"ok", "degraded"}


def test_many_who_ask_at_once_wait_for_one_answer() -> None:
    asked: list[float] = []
    begun, go_on = threading.Event(), threading.Event()

    def probe(timeout: float) -> None:
        asked.append(timeout)
        begun.set()
        go_on.wait(10)

    health = Health({"one": probe})
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(health.check())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert asked == [TIMEOUT]
