"""Routes: closed by default, and every error is a problem that a person can act on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.accounts.auth import Auth, Caller
from shared.config import Config
from shared.errors import Unauthenticated
from shared.pipeline.jobs import Jobs
from shared.web.routing import MAXIMUM_BODY
from tests.unit.functions import SAMPLE, client, json_logs
from tests.unit.stored import TOKEN, Stored, accounts_of_ada

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


@pytest.fixture
def web() -> Iterator[Any]:
    """The sample function. Its database knows one token, of ada."""
    with client("sample", SAMPLE) as made:
        yield made


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    with json_logs():
        yield capsys


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert HEADERS.items() <= dict(answer.headers).items()
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
        f"Token {TOKEN}",
        TOKEN,
        "Bearer yts_unknown",
        f"Bearer {TOKEN} {TOKEN}",
        "Bearer \xe9",
        "Bearer " + "x" * 10_000,
    ],
)
def test_a_route_is_closed_unless_it_is_declared_public(web: Any, header: str | None) -> None:
    answer = web.get("/closed", headers={"Authorization": header} if header is not None else {})
    assert problem(answer, 401)["title"] == "Sign in first"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert web.get("/open").get_json() == {"user": ""}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_known_token_names_its_user(web: Any, scheme: str) -> None:
    answer = web.get("/closed", headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.get_json() == {"user": "ada", "operator": False}
    assert HEADERS.items() <= dict(answer.headers).items()


def test_the_operator_token_opens_local_runs_only() -> None:
    local = Config(operator_token="operator", firestore_emulator_host="localhost:1")
    db = accounts_of_ada()
    assert Auth(local, db).authenticate("Bearer operator") == Caller("demo", operator=True)
    for config, token in (
        (Config(operator_token="operator"), "operator"),
        (local, "operato"),
        (Config(firestore_emulator_host="localhost:1"), "operator"),
    ):
        with pytest.raises(Unauthenticated):
            Auth(config, db).authenticate(f"Bearer {token}")


@pytest.mark.parametrize("configured", [True, False])
def test_an_answer_of_401_says_where_to_sign_in(configured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_CLIENT_ID", "a-client" if configured else "")
    with client("sample", SAMPLE) as web:
        assert problem(web.get("/closed"), 401)["sign_in"] == ("/api/login" if configured else None)


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/closed/more", "/things", "/things/a/b", "/CLOSED", "/things//a", "/things/a//"],
)
def test_an_unknown_path_is_not_found_without_authentication(web: Any, path: str) -> None:
    assert "nothing at" in problem(web.get(path), 404)["detail"]


@pytest.mark.parametrize("path", ["/open/", "/things/a/"])
def test_a_slash_at_the_end_is_neither_missed_nor_redirected(web: Any, path: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.text) == (200, web.get(path.rstrip("/")).text)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_wrong_method_is_answered_with_the_right_ones(web: Any, method: str) -> None:
    answer = web.open("/closed", method=method)
    assert "GET, HEAD is" in problem(answer, 405)["detail"]
    assert answer.headers["Allow"] == "GET, HEAD"


def test_all_methods_of_a_path_are_allowed(web: Any) -> None:
    assert web.put("/things/a").headers["Allow"] == "DELETE, GET, HEAD"


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
    for kind in (
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ):
        answer = web.post("/body", data=b'{"b": "\xc3\xa9", "a": [1, 2]}', content_type=kind)
        assert answer.status_code == 201
        assert answer.text == '{"found":{"a":[1,2],"b":"é"}}\n'
        assert answer.headers["Content-Type"] == "application/json"


def test_a_body_that_is_too_long_is_refused_in_one_answer(web: Any) -> None:
    """functions-framework reads the body after the answer. It must not fail at the refused one."""
    fits = b'{"a":"' + b"x" * (MAXIMUM_BODY - 8) + b'"}'
    assert len(fits) == MAXIMUM_BODY
    assert web.post("/body", data=fits).status_code == 201
    answer = web.post("/body", data=fits + b" ")
    assert "at most 65,536 bytes" in problem(answer, 413)["detail"]


def test_a_body_without_a_length_is_cut_off_at_the_limit(web: Any) -> None:
    """It comes in chunks (Transfer-Encoding: chunked), and the server knows where it ends."""

    def post(length: int) -> Any:
        return web.post(
            "/body",
            data=b'{"a":"' + b"x" * (length - 8) + b'"}',
            headers={"Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )

    assert post(MAXIMUM_BODY).status_code == 201
    problem(post(MAXIMUM_BODY + 1), 400)
    problem(post(MAXIMUM_BODY * 100), 400)


def test_a_request_that_is_refused_for_another_reason_may_be_long(web: Any) -> None:
    body = b"x" * (MAXIMUM_BODY * 10)
    problem(web.post("/closed", data=body), 405)
    assert web.delete("/things/a", data=body).status_code == 204


@pytest.mark.parametrize("text", ["0", "101", "-1", "1.5", "ten", "²", "٣", "007", "9" * 5000])
def test_a_limit_out_of_range_is_a_bad_request(web: Any, text: str) -> None:
    assert "limit: expected a number from 1 to 100" in problem(web.get(f"/limit?limit={text}"), 400)["detail"]


def test_limits(web: Any) -> None:
    assert web.get("/limit").get_json() == {"limit": 20}
    assert web.get("/limit?limit=100").get_json() == {"limit": 100}
    assert web.get("/limit?limit=").get_json() == {"limit": 20}


def test_choices(web: Any) -> None:
    assert web.get("/choice?format=jsonl").get_json() == {"choice": "jsonl"}
    for missing in ("/choice", "/choice?format="):
        assert web.get(missing).get_json() == {"choice": None}
    for wrong in ("CSV", "csv,jsonl", "x" * 5000):
        detail = problem(web.get(f"/choice?format={wrong}"), 400)["detail"]
        assert detail == f"format: expected one of csv, jsonl, found {wrong[:40]!r}."


def test_path_variables_and_empty_answers(web: Any) -> None:
    assert web.get("/things/a%20b%2Bc").get_json() == {"thing": "a b+c"}
    answer = web.delete("/things/a")
    assert (answer.status_code, answer.data) == (204, b"")
    assert HEADERS.items() <= dict(answer.headers).items()


def test_an_answer_may_be_streamed(web: Any) -> None:
    answer = web.get("/stream", buffered=False)
    assert answer.is_streamed
    assert HEADERS.items() <= dict(answer.headers).items()
    assert answer.text == "/stream 0\n/stream 1\n/stream 2\n"


@pytest.mark.parametrize(
    ("kind", "status", "retry_after"),
    [
        ("missing", 404, None),
        ("busy", 409, None),
        ("often", 429, "17"),
        ("much", 429, None),
        ("transient", 503, "2"),
        ("config", 503, "2"),
        ("defect", 500, None),
        ("recursion", 500, None),
    ],
)
def test_an_error_becomes_a_problem_that_tells_no_secret(
    web: Any, kind: str, status: int, retry_after: str | None
) -> None:
    answer = web.get(f"/raise/{kind}")
    problem(answer, status)
    assert "hunter2" not in answer.text
    assert answer.headers.get("Retry-After") == retry_after


def test_an_answer_that_cannot_be_encoded_is_a_defect(web: Any) -> None:
    problem(web.get("/unencodable"), 500)


def test_a_missing_configuration_is_named_in_the_log_only(
    web: Any, logged: pytest.CaptureFixture[str]
) -> None:
    assert "ELASTICSEARCH_URL" not in web.get("/raise/config").text
    (line,) = [json.loads(each) for each in logged.readouterr().out.splitlines()]
    assert (line["message"], line["method"], line["path"]) == ("misconfigured", "GET", "/raise/config")
    assert "ELASTICSEARCH_URL" in line["stack_trace"]


def test_the_detail_of_an_error_is_in_the_log_only(web: Any, logged: pytest.CaptureFixture[str]) -> None:
    web.get("/raise/transient")
    (line,) = [json.loads(each) for each in logged.readouterr().out.splitlines()]
    assert (line["severity"], line["detail"]) == ("WARNING", "postgres://hunter2")


#: Every closed route of the functions that people reach.
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
        ("DELETE", "/api/me"),
        ("POST", "/api/logout"),
        ("GET", "/api/tokens"),
        ("POST", "/api/tokens"),
        ("DELETE", "/api/tokens/a"),
    ],
}


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [(name, method, path) for name, routes in FUNCTIONS.items() for method, path in routes],
)
def test_every_route_asks_who_is_calling(name: str, method: str, path: str) -> None:
    """There is no database here: a request that needed one would be answered with 503."""
    with client(name) as web:
        problem(web.open(path, method=method, json={"playlist": "PLx"}), 401)


@pytest.mark.parametrize("job_id", ["__all__", "..", ".", "a b", "a" * 200, "\x00", "é", "a/b", ""])
def test_the_database_is_not_asked_for_a_job_that_cannot_exist(job_id: str) -> None:
    db = Stored()
    assert Jobs(db).read(job_id) is None
    assert db.asked == []
