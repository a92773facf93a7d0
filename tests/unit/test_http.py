"""HTTP functions: closed by default, and every error a problem that a person can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import auth, config, documents, jobs, limits
from shared.config import ConfigError
from shared.documents import Snapshot
from shared.errors import Transient
from shared.http import MAXIMUM_BODY
from tests.unit.functions import client

#: A function with a route for each thing that can happen; only one of them is public.
SOURCE = """
import functions_framework
from flask import Response
from shared.config import ConfigError
from shared.errors import Busy, NotFound, Transient
from shared.http import Routes, body_of, limit_of

routes = Routes()

@functions_framework.http
def sample(request):
    return routes.dispatch(request)

@routes.add("GET", "/closed")
def closed(request, caller):
    return {"user": caller.user_id, "operator": caller.operator}

@routes.add("GET", "/open", public=True)
def opened(request, caller):
    return {"user": caller.user_id}

@routes.add("POST", "/body", public=True)
def body(request, caller):
    return {"found": body_of(request)}, 201

@routes.add("GET", "/limit", public=True)
def limit(request, caller):
    return {"limit": limit_of(request, 20, 100)}

@routes.add("GET", "/things/<thing>", public=True)
def thing(request, caller, thing):
    return {"thing": thing}

@routes.add("DELETE", "/things/<thing>", public=True)
def remove(request, caller, thing):
    return Response(status=204)

@routes.add("GET", "/raise/<kind>", public=True)
def fail(request, caller, kind):
    secret = "postgres://hunter2"
    raise {
        "missing": NotFound("There is no such thing."),
        "busy": Busy("Wait for the other one."),
        "transient": Transient("Firestore did not read within 10 s."),
        "config": ConfigError("ELASTICSEARCH_URL: expected " + secret),
        "defect": ZeroDivisionError(secret),
        "recursion": RecursionError(secret),
    }[kind]
"""
KNOWN = "yts_" + "a" * 43


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The sample function; the store knows one token, of ada."""
    (tmp_path / "main.py").write_text(SOURCE)

    def read(*paths: str, fields: object = None) -> list[Snapshot]:
        known = {auth._path(auth._hash(KNOWN)): {"user_id": "ada"}}
        return [Snapshot(path, known.get(path), None) for path in paths]

    monkeypatch.setattr(documents, "read", read)
    config.load.cache_clear()
    with client("sample", str(tmp_path / "main.py")) as made:
        yield made
    config.load.cache_clear()


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    body: dict[str, Any] = answer.get_json()
    assert body.keys() == {"type", "title", "status", "detail"} | ({"sign_in"} if status == 401 else set())
    assert body["status"] == status
    assert body["detail"].endswith(".") or body["detail"].endswith(")."), body
    return body


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic YWRhOmFkYQ==",
        f"Token {KNOWN}",
        KNOWN,
        "Bearer yts_unknown",
        f"Bearer {KNOWN} {KNOWN}",
        "Bearer \xe9",
        "Bearer " + "x" * 10_000,
    ],
)
def test_a_route_is_closed_unless_it_says_otherwise(web: Any, header: str | None) -> None:
    answer = web.get("/closed", headers={"Authorization": header} if header is not None else {})
    assert problem(answer, 401)["title"] == "Sign in first"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert web.get("/open").status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_known_token_names_its_user(web: Any, scheme: str) -> None:
    answer = web.get("/closed", headers={"Authorization": f"{scheme} {KNOWN}"})
    assert answer.get_json() == {"user": "ada", "operator": False}


def test_the_operator_token_opens_local_runs_only(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_TOKEN", "operator")
    assert web.get("/closed", headers=bearer("operator")).status_code == 401
    config.load.cache_clear()
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "localhost:1")
    assert web.get("/closed", headers=bearer("operator")).get_json() == {"user": "demo", "operator": True}
    assert web.get("/closed", headers=bearer("operato")).status_code == 401


@pytest.mark.parametrize("path", ["/", "/nothing", "/closed/more", "/things", "/things/a/b", "/CLOSED"])
def test_where_there_is_nothing_nobody_is_asked_who_they_are(web: Any, path: str) -> None:
    assert "nothing at" in problem(web.get(path), 404)["detail"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_method_that_is_not_possible_says_which_is(web: Any, method: str) -> None:
    answer = web.open("/closed", method=method)
    assert "GET, HEAD is" in problem(answer, 405)["detail"]
    assert answer.headers["Allow"] == "GET, HEAD"


def test_head_is_get_without_a_body(web: Any) -> None:
    got, head = web.get("/open"), web.head("/open")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert web.head("/closed").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"text"',
        b"null",
        b"7",
        b"\xff",
        b"[" * 60_000,
        b"9" * 60_000,
        b'{"a":1}{"b":2}',
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_no_object_is_a_bad_request(web: Any, body: bytes) -> None:
    assert "Expected a JSON object, found" in problem(web.post("/body", data=body), 400)["detail"]


def test_a_body_is_read_whatever_its_content_type(web: Any) -> None:
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = web.post("/body", data=b'{"a": "\xc3\xa9"}', content_type=kind)
        assert (answer.status_code, answer.get_json()) == (201, {"found": {"a": "é"}})
        assert "é" in answer.text


def test_a_body_that_is_too_long_is_refused_in_one_answer(web: Any) -> None:
    """functions-framework reads the body itself afterwards, and used to fail at what was refused."""
    fits = b'{"a":"' + b"x" * (MAXIMUM_BODY - 8) + b'"}'
    assert len(fits) == MAXIMUM_BODY
    assert web.post("/body", data=fits).status_code == 201
    answer = web.post("/body", data=fits + b" ")
    assert "at most 65,536 bytes" in problem(answer, 413)["detail"]


@pytest.mark.parametrize("text", ["0", "101", "-1", "1.5", "ten", "", "²", "٣", "0000000019999", "9" * 5000])
def test_a_limit_that_is_none_is_a_bad_request(web: Any, text: str) -> None:
    assert "limit: expected a number from 1 to 100" in problem(web.get(f"/limit?limit={text}"), 400)["detail"]


def test_limits(web: Any) -> None:
    assert web.get("/limit").get_json() == {"limit": 20}
    assert web.get("/limit?limit=100").get_json() == {"limit": 100}
    assert web.get("/limit?limit=007").get_json() == {"limit": 7}


def test_path_variables_and_empty_answers(web: Any) -> None:
    assert web.get("/things/a%20b%2Bc").get_json() == {"thing": "a b+c"}
    answer = web.delete("/things/a")
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("missing", 404),
        ("busy", 409),
        ("transient", 503),
        ("config", 503),
        ("defect", 500),
        ("recursion", 500),
    ],
)
def test_what_is_raised_becomes_a_problem_that_tells_no_secret(web: Any, kind: str, status: int) -> None:
    answer = web.get(f"/raise/{kind}")
    body = problem(answer, status)
    assert "hunter2" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)
    if kind == "transient":
        assert "Try again" in body["detail"]


def test_a_defect_is_in_the_log(web: Any, capsys: pytest.CaptureFixture[str]) -> None:
    web.get("/raise/defect")
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["severity"], line["path"]) == ("ERROR", "/raise/defect")
    assert "ZeroDivisionError" in line["traceback"]


FUNCTIONS = {
    "index": [("POST", "/api/index")],
    "jobs": [
        ("GET", "/api/jobs"),
        ("GET", "/api/jobs/a"),
        ("GET", "/api/jobs/a/videos"),
        ("POST", "/api/jobs/a/retry"),
        ("POST", "/api/jobs/a/cancel"),
    ],
    "library": [("GET", "/api/playlists"), ("DELETE", "/api/playlists/PLx")],
    "search": [
        ("GET", "/api/search"),
        ("GET", "/api/search/export"),
        ("GET", "/api/suggest"),
        ("GET", "/api/videos/a"),
    ],
    "account": [
        ("GET", "/api/me"),
        ("GET", "/api/tokens"),
        ("POST", "/api/tokens"),
        ("DELETE", "/api/tokens/a"),
    ],
}


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [(name, method, path) for name, routes in FUNCTIONS.items() for method, path in routes],
)
def test_every_route_of_the_contract_asks_who_is_calling(
    name: str, method: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def untouchable(*_: object, **__: object) -> None:
        raise AssertionError("the store was asked for somebody who is nobody")

    monkeypatch.setattr(documents, "read", untouchable)
    monkeypatch.setattr(documents, "query", untouchable)
    with client(name) as web:
        assert web.open(path, method=method, json={"playlist": "PLx"}).status_code == 401


@pytest.mark.parametrize("job_id", ["__all__", "..", ".", "a%20b", "a" * 200, "%00", "é"])
def test_a_job_that_cannot_be_is_not_asked_for(job_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*paths: str, fields: object = None) -> list[Snapshot]:
        if paths[0].startswith("api_tokens/"):
            return [Snapshot(paths[0], {"user_id": "ada"}, None)]
        raise AssertionError(f"Firestore was asked for {paths}")

    monkeypatch.setattr(documents, "read", read)
    with client("jobs") as web:
        answer = web.get(f"/api/jobs/{job_id}", headers=bearer(KNOWN))
        assert answer.status_code == 404, answer.text


def test_starting_answers_though_pubsub_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job is stored, so it is not lost."""

    def publish(job: object) -> None:
        raise Transient("Pub/Sub did not take a message.")

    made: Any = type("Job", (), {"job_id": "j", "playlist_id": "PLx"})()
    monkeypatch.setattr(auth, "authenticate", lambda header, session: auth.Caller("ada"))
    monkeypatch.setattr(limits, "start", lambda user, playlist: (made, True))
    monkeypatch.setattr(jobs, "publish", publish)
    with client("index") as web:
        answer = web.post("/api/index", json={"playlist": "https://www.youtube.com/playlist?list=PLx"})
        assert answer.status_code == 202
        assert answer.get_json() == {
            "job_id": "j",
            "playlist_id": "PLx",
            "status_url": "/api/jobs/j",
        }
        for wrong in (
            {},
            {"playlist": None},
            {"playlist": 7},
            {"playlist": "nonsense"},
            {"playlist": ["PLx"]},
        ):
            problem(web.post("/api/index", json=wrong), 400)


def test_a_missing_configuration_is_named_in_the_log_only(
    web: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    web.get("/raise/config")
    assert "ELASTICSEARCH_URL" in capsys.readouterr().out
    assert isinstance(ConfigError("x"), ValueError)
