"""Calls of several users that travel together: what fails for one says nothing of another's documents."""

from __future__ import annotations

import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from google.api_core.exceptions import ServiceUnavailable
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from shared import clients, documents
from shared.documents import Commit
from shared.errors import Transient
from shared.http import Routes

USERS = ("ada", "bea", "cy")


class _Silent:
    """A Firestore that answers nothing; its first call is held until the other users wait behind it."""

    def __init__(self) -> None:
        self.calls = 0
        self.waiting = threading.Event()

    def document(self, path: str) -> Any:
        return SimpleNamespace(path=path)

    def batch(self) -> Any:
        return SimpleNamespace(set=lambda *_, **__: None, commit=self._fail)

    def get_all(self, *_: Any, **__: Any) -> Any:
        return self._fail()

    def _fail(self, **_: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            assert self.waiting.wait(10)
        raise ServiceUnavailable("connection refused")  # type: ignore[no-untyped-call]


def _read(user: str) -> None:
    documents.read(f"users/{user}/memberships/PL-of-{user}")


def _write(user: str) -> None:
    Commit().set(f"users/{user}/memberships/PL-of-{user}", {"title": "x"}).run()


@pytest.mark.parametrize(
    ("call", "together"), [(_read, documents._read_together), (_write, documents._commit_together)]
)
def test_what_fails_together_is_said_without_the_others_documents(
    call: Any, together: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = _Silent()
    monkeypatch.setattr(clients, "firestore", lambda: silent)
    errors: dict[str, Transient] = {}
    answers: dict[str, str] = {}
    routes = Routes()

    @routes.add("GET", "/<user>", public=True)
    def handle(request: Any, caller: Any, user: str) -> Any:
        try:
            call(user)
        except Transient as error:
            errors[user] = error
            raise

    def ask(user: str) -> None:
        answers[user] = routes.dispatch(Request(EnvironBuilder(f"/{user}").get_environ())).get_data(True)  # type: ignore[arg-type]

    threads = [threading.Thread(target=partial(ask, user)) for user in USERS]
    threads[0].start()
    while not silent.calls:
        pass
    for thread in threads[1:]:
        thread.start()
    while len(together._waiting) < len(USERS) - 1:
        pass
    silent.waiting.set()
    for thread in threads:
        thread.join(10)
    assert silent.calls == 2, "two users' calls travelled together"
    for user, answer in answers.items():
        assert '"status":503' in answer
        assert "memberships" not in str(errors[user])
        assert not any(f"PL-of-{each}" in answer for each in USERS)
    # Where to look is in the log, and each caller raises an error of its own.
    assert "memberships" in capsys.readouterr().out
    assert len({id(error) for error in errors.values()}) == len(USERS)
