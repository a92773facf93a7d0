"""Errors of Firestore: a person reads a sentence; the log names the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Request
from google.api_core import exceptions
from google.cloud.firestore_v1 import Client, Query, WriteBatch
from werkzeug.test import EnvironBuilder

from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp.firestore import Firestore, retry_on_conflict
from shared.web.routing import Routes
from tests.unit.functions import json_logs
from tests.unit.stored import Stored

PATH = "users/ada/memberships/PL-of-ada"
#: Untyped.
api: Any = exceptions


@pytest.fixture
def db(monkeypatch: pytest.MonkeyPatch) -> Firestore:
    """The real client, which has nobody to ask."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    return Firestore(Config())


CALLS: dict[str, Callable[[Firestore], object]] = {
    "read": lambda db: db.read(PATH),
    "query": lambda db: list(db.query(PATH.rsplit("/", 1)[0])),
    "write": lambda db: db.commit().set(PATH, {"title": "x"}).run(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        api.ServiceUnavailable(f"connection refused: {PATH}"),
        api.DeadlineExceeded(f"late: {PATH}"),
        api.RetryError(f"gave up: {PATH}", None),
        api.TooManyRequests(f"slow down: {PATH}"),
        api.Aborted(f"contention on {PATH}"),
        api.AlreadyExists(f"exists: {PATH}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_names_the_document_in_the_log_and_not_to_the_person(
    call: str,
    error: Exception,
    db: Firestore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    for kind, method in ((Client, "get_all"), (Query, "stream"), (WriteBatch, "commit")):
        monkeypatch.setattr(kind, method, fail)
    routes = Routes(Config(), Stored())
    raised: list[Transient] = []

    @routes.get("/", public=True)
    def handle(request: Any, caller: Any) -> Mapping[str, Any]:
        """Asks the database."""
        try:
            CALLS[call](db)
            return {}
        except Transient as transient:
            raised.append(transient)
            raise

    with json_logs():
        answer = routes.dispatch(Request(EnvironBuilder("/").get_environ()))
    assert answer.status_code == 503
    assert answer.get_data(True).count("Try again") == 1
    for shown in (answer.get_data(True), str(raised[0])):
        assert "memberships" not in shown
        assert "ada" not in shown
    assert "users/ada/memberships" in capsys.readouterr().out


def test_a_change_that_always_conflicts_is_given_up() -> None:
    attempts = 0

    def attempt() -> None:
        nonlocal attempts
        attempts += 1
        raise Conflict("Too many changes at the same time.", detail=f"contention on {PATH}")

    with pytest.raises(Transient) as raised:
        retry_on_conflict(attempt, timeout=0.3)
    assert attempts > 2
    assert not isinstance(raised.value, Conflict)
    assert "memberships" not in str(raised.value)
