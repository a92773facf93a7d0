"""Health: each dependency is asked, and whatever it answers is the finding."""

from __future__ import annotations

import pytest

from shared import health
from shared.config import ConfigError
from shared.errors import Transient
from tests.unit.functions import client


def fine() -> None:
    """Answers."""


def failing(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (Transient("Firestore did not read within 10 s."), "Firestore did not read within 10 s."),
        (ConfigError("ELASTICSEARCH_URL: expected"), "ELASTICSEARCH_URL: expected"),
        (ConnectionRefusedError("10.0.0.7:9200"), "does not answer (ConnectionRefusedError)"),
    ],
)
def test_what_is_wrong_is_said_without_anything_private(
    error: Exception, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DEPENDENCIES", {"one": fine, "other": lambda: failing(error)})
    with client("health") as web:
        answer = web.get("/api/health")
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "degraded", "dependencies": {"one": "ok", "other": found}}


def test_all_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DEPENDENCIES", {"one": fine, "other": fine})
    with client("health") as web:
        answer = web.get("/api/health", headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ok", "dependencies": {"one": "ok", "other": "ok"}}


def test_every_dependency_is_asked() -> None:
    assert set(health.DEPENDENCIES) == {"firestore", "pubsub", "elasticsearch"}
