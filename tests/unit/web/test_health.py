"""Health: every dependency is asked, and any error of one is reported."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from shared import __version__
from shared.config import ConfigError
from shared.errors import Transient
from shared.web.health import TIMEOUT, check
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
        (ConnectionRefusedError("10.0.0.7:9200"), "does not answer"),
    ],
)
def test_an_error_is_described_without_anything_private(error: Exception, found: str) -> None:
    with client("health", probes={"one": answers, "other": failing(error)}) as web:
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


def test_all_dependencies_answer() -> None:
    with client("health", probes={"one": answers, "other": answers}) as web:
        answer = web.get("/api/health", headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ok",
        "dependencies": {"one": "ok", "other": "ok"},
        "version": __version__,
    }


def test_dependencies_are_asked_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def waits_for_the_other(timeout: float) -> None:
        both.wait(10)

    assert check({"one": waits_for_the_other, "other": waits_for_the_other})["status"] == "ok"


def test_every_dependency_is_asked() -> None:
    assert set(load("health")[1].probes) == {"firestore", "pubsub", "elasticsearch"}
