"""Errors of Firestore: a person reads a plain sentence, and the log names the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Request
from google.api_core import exceptions

from shared.accounts.auth import Caller
from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp.firestore import Firestore, _each_alone
from shared.lazy import Lazy
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client, json_logs

PATH = "users/ada/memberships/PL-of-ada"
#: Untyped.
api: Any = exceptions


class FailingClient:
    """A client of Firestore whose reads, queries and commits all raise ``error``."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def document(self, path: str) -> Any:
        return SimpleNamespace(path=path)

    def collection(self, _: str) -> Any:
        return SimpleNamespace(stream=self._stream)

    def batch(self) -> Any:
        return SimpleNamespace(set=lambda *_, **__: None, commit=self._fail)

    def get_all(self, *_: Any, **__: Any) -> Any:
        return self._fail()

    def _stream(self, **_: Any) -> Iterator[Any]:
        yield self._fail()

    def _fail(self, **_: Any) -> Any:
        raise self._error


class FailingFirestore(Firestore):
    def __init__(self, error: Exception) -> None:
        super().__init__(Config())
        failing: Any = FailingClient(error)
        self._client = Lazy(lambda: failing)


def _read(db: Firestore) -> None:
    db.read(PATH)


def _query(db: Firestore) -> None:
    list(db.query(PATH.rsplit("/", 1)[0]))


def _write(db: Firestore) -> None:
    db.commit().set(PATH, {"title": "x"}).run()


CALLS = [_read, _query, _write]
UNAVAILABLE = [
    api.ServiceUnavailable(f"connection refused: {PATH}"),
    api.DeadlineExceeded(f"late: {PATH}"),
    api.RetryError(f"gave up: {PATH}", None),
    api.TooManyRequests(f"slow down: {PATH}"),
]
CONFLICTS = [
    api.Aborted(f"contention on {PATH}"),
    api.NotFound(f"no document to update: {PATH}"),
    api.AlreadyExists(f"exists: {PATH}"),
    api.FailedPrecondition(f"changed: {PATH}"),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", UNAVAILABLE + CONFLICTS, ids=lambda error: type(error).__name__)
def test_each_error_has_its_meaning(call: Callable[[Firestore], None], error: Exception) -> None:
    with pytest.raises(Transient) as raised:
        call(FailingFirestore(error))
    assert isinstance(raised.value, Conflict) == (error in CONFLICTS)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", UNAVAILABLE + CONFLICTS, ids=lambda error: type(error).__name__)
def test_an_error_names_the_document_in_the_log_and_not_to_the_person(
    call: Callable[[Firestore], None], error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    db = FailingFirestore(error)
    routes = Routes(Config(), db)
    raised: list[Transient] = []

    @routes.get("/", public=True)
    def handle(request: Request, caller: Caller) -> dict[str, Any]:
        try:
            call(db)
        except Transient as transient:
            raised.append(transient)
            raise
        return {}

    with json_logs(), client("sample", SAMPLE, routes=routes) as web:
        answer = web.get("/")
    assert answer.status_code == 503
    for said in (answer.text, str(raised[0])):
        assert "memberships" not in said
        assert "ada" not in said
    assert "users/ada/memberships" in capsys.readouterr().out


def test_after_a_call_without_an_answer_the_others_of_its_batch_are_not_sent() -> None:
    sent: list[str] = []

    def call(item: str) -> str:
        sent.append(item)
        if item == "late":
            raise Transient("The database did not answer in time.", detail="read x/late")
        if item == "changed":
            raise Conflict("Too many changes were made at the same time.")
        return item

    results = _each_alone(call, ["a", "changed", "late", "b", "c"])
    assert sent == ["a", "changed", "late"]
    assert [type(each) for each in results] == [str, Conflict, Transient, Transient, Transient]
    assert len({id(each) for each in results}) == 5
