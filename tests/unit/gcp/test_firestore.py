"""Errors of Firestore: a person reads a plain sentence, and the log names the document."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Request
from google.api_core import exceptions

from shared.accounts.auth import Caller
from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp.firestore import Firestore, _in_halves, retry_on_conflict
from shared.lazy import Lazy
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client, json_logs

LINK = "https://console.firebase.google.com/project/secret-project/firestore/indexes"
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
    api.AlreadyExists(f"exists: {PATH}"),
    api.NotFound(f"no document to update: {PATH}"),
    api.FailedPrecondition(f"changed: {PATH}"),
]


#: What is answered to a query without its index (with a link to the console, and so the project), and so on.
UNDEPLOYED = [
    (_query, api.FailedPrecondition(f"The query requires an index. {LINK}")),
    (_read, api.FailedPrecondition(f"Cloud Firestore is not available for Datastore Mode. {LINK}")),
    (_read, api.NotFound(f"The database (default) does not exist for project secret-project. {LINK}")),
    (_query, api.NotFound(f"The database (default) does not exist. {LINK}")),
    *((call, api.PermissionDenied(f"Missing or insufficient permissions. {LINK}")) for call in CALLS),
    (_write, api.Unauthenticated(f"Request had invalid credentials. {LINK}")),
]


@pytest.mark.parametrize(("call", "error"), UNDEPLOYED, ids=lambda each: getattr(each, "__name__", None))
def test_what_the_operator_has_to_mend_is_an_error_and_names_no_project(
    call: Callable[[Firestore], None], error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, it was taken for a change by somebody else, and tried again for ever."""
    db = FailingFirestore(error)
    routes = Routes(Config(), db)

    @routes.get("/", public=True)
    def handle(request: Request, caller: Caller) -> Mapping[str, Any]:
        """Asks the database."""
        retry_on_conflict(lambda: call(db))
        return {}

    with json_logs(), client("sample", SAMPLE, routes=routes) as web:
        answer = web.get("/")
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers
    assert answer.json["detail"].startswith("The database of this site is not set up completely.")
    assert "secret-project" not in answer.text
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["severity"], line["message"]) == ("ERROR", "misconfigured")
    assert LINK in line["detail"]


def conflicts(call: Callable[[Firestore], None]) -> list[Exception]:
    return CONFLICTS if call is _write else CONFLICTS[:2]


@pytest.mark.parametrize(
    ("call", "error"),
    [(call, error) for call in CALLS for error in UNAVAILABLE + conflicts(call)],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
def test_each_error_has_its_meaning(call: Callable[[Firestore], None], error: Exception) -> None:
    with pytest.raises(Transient) as raised:
        call(FailingFirestore(error))
    assert isinstance(raised.value, Conflict) == (error in CONFLICTS)
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    ("call", "error"),
    [(call, error) for call in CALLS for error in UNAVAILABLE + conflicts(call)],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
def test_an_error_names_the_document_in_the_log_and_not_to_the_person(
    call: Callable[[Firestore], None], error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    db = FailingFirestore(error)
    routes = Routes(Config(), db)
    raised: list[Transient] = []

    @routes.get("/", public=True)
    def handle(request: Request, caller: Caller) -> Mapping[str, Any]:
        """Asks the database."""
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


class _Hot:
    """Takes items together, unless one of them is changed at the same time, or nobody answers."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def __call__(self, items: Sequence[str]) -> list[str]:
        self.sent.append("".join(items))
        if "!" in items:
            raise Transient("The database did not answer in time.", detail="read x/late")
        if "x" in items:
            raise Conflict("Too many changes were made at the same time.")
        if "?" in items:
            raise ValueError("no such document can be")
        return list(items)


@pytest.mark.parametrize(
    ("items", "sent"),
    [
        ("abcd", ["abcd"]),
        ("x", ["x"]),
        ("abcdefgx", ["abcdefgx", "abcd", "efgx", "ef", "gx", "g", "x"]),
        ("xb?d", ["xb?d", "xb", "x", "b", "?d", "?", "d"]),
        ("ax!b", ["ax!b"]),
        ("xa", ["xa", "x", "a"]),
    ],
)
def test_a_refused_batch_is_sent_in_halves(items: str, sent: list[str]) -> None:
    hot = _Hot()
    results = _in_halves(hot, items)
    assert hot.sent == sent
    kinds = {"x": Conflict, "?": ValueError, "!": Transient}
    if "!" not in items:
        assert [type(each) for each in results] == [kinds.get(item, str) for item in items]


def test_twenty_commits_of_which_one_is_refused_take_few_requests() -> None:
    hot = _Hot()
    assert sum(each == "a" for each in _in_halves(hot, "a" * 13 + "x" + "a" * 6)) == 19
    assert len(hot.sent) <= 11


def test_after_a_call_without_an_answer_the_others_of_its_batch_are_not_sent() -> None:
    class Late(_Hot):
        def __call__(self, items: Sequence[str]) -> list[str]:
            if len(self.sent) == 3:
                items = "!"
            return super().__call__(items)

    late = Late()
    results = _in_halves(late, "axbcdefg")
    assert late.sent == ["axbcdefg", "axbc", "ax", "!"]
    assert [type(each) for each in results] == [Transient] * 8
    assert {str(each) for each in results} == {"The database did not answer in time."}
    assert len({id(each) for each in results}) == 8
