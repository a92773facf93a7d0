"""What an error of Firestore tells a person, and what it tells the log."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core import exceptions
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from shared import clients, documents
from shared.documents import Commit
from shared.errors import Transient
from shared.http import Routes

PATH = "users/ada/memberships/PL-of-ada"
#: Untyped.
api: Any = exceptions


class _Failing:
    """A Firestore that answers every read, query and commit with ``error``, which names the document."""

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


def _read() -> None:
    documents.read(PATH)


def _query() -> None:
    list(documents.query(PATH.rsplit("/", 1)[0]))


def _write() -> None:
    Commit().set(PATH, {"title": "x"}).run()


@pytest.mark.parametrize("call", [_read, _query, _write])
@pytest.mark.parametrize(
    "error",
    [
        api.ServiceUnavailable(f"connection refused: {PATH}"),
        api.DeadlineExceeded(f"late: {PATH}"),
        api.RetryError(f"gave up: {PATH}", None),
        api.TooManyRequests(f"slow down: {PATH}"),
        api.Aborted(f"contention on {PATH}"),
        api.NotFound(f"no document to update: {PATH}"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_names_the_document_in_the_log_and_not_to_the_person(
    call: Any, error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(clients, "firestore", lambda: _Failing(error))
    routes = Routes()
    raised: list[Transient] = []

    @routes.add("GET", "/", public=True)
    def handle(request: Any, caller: Any) -> Any:
        try:
            call()
        except Transient as transient:
            raised.append(transient)
            raise

    request: Any = Request(EnvironBuilder("/").get_environ())
    answer = routes.dispatch(request)
    assert answer.status_code == 503
    for said in (answer.get_data(True), str(raised[0])):
        assert "memberships" not in said
        assert "ada" not in said
    assert "users/ada/memberships" in capsys.readouterr().out
