"""Cross-site requests: on every route, what a page of another origin makes a browser send changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest
from flask import Request, Response

from infra.pipeline import load_pipeline
from shared import config, documents, http, sessions
from shared import origin as origin_of_site
from shared.auth import Caller
from shared.config import Config, ConfigError
from shared.documents import Snapshot
from tests.unit.functions import client

OURS = "https://yts.test"
SESSION = f"yts_session_{'a' * 43}"
#: The functions that the gateway lets people reach.
FUNCTIONS = [each.name for each in load_pipeline(Config.from_env({})).functions if each.routes]
SITES = ("same-origin", "same-site", "cross-site", "none", "", "SAME-ORIGIN", None)
ORIGINS = (OURS, "https://evil.example", "https://yts.test.evil.example", "http://yts.test", "null", "", None)


@dataclass(slots=True)
class Web:
    """Every route of the functions loaded while it is installed; ``reached``: who called a handler."""

    endpoints: list[tuple[str, str, bool]] = field(default_factory=list)
    reached: list[str] = field(default_factory=list)

    def install(self, patch: pytest.MonkeyPatch) -> None:
        real = http.Routes.add

        def add(routes: http.Routes, method: str, rule: str, *, public: bool = False) -> Any:
            def handle(request: Request, caller: Caller, **_: str) -> Response:
                self.reached.append(caller.user_id)
                return Response(status=204)

            def register(handler: Any) -> Any:
                self.endpoints.append((method, rule, public))
                real(routes, method, rule, public=public)(handle)
                return handler

            return register

        patch.setattr(http.Routes, "add", add)


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Everybody with the cookie is ada; handlers only note that they were reached."""
    found = Web()
    found.install(monkeypatch)
    monkeypatch.setattr(sessions, "user_of", lambda token: "ada" if token == SESSION else None)
    monkeypatch.setattr(documents, "read", lambda *paths, **_: [Snapshot(path, None, None) for path in paths])
    monkeypatch.setenv("PUBLIC_URL", OURS)
    config.load.cache_clear()
    yield found
    config.load.cache_clear()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_changes_something_needs_a_proof_of_our_own_origin(name: str, routes: Web) -> None:
    with client(name) as web:
        web.set_cookie("__session", SESSION)
        assert routes.endpoints
        for method, rule, public in routes.endpoints:
            assert method == "GET" or not public, f"{method} {rule} changes something for anybody"
            path = rule.replace("<", "").replace(">", "")
            for site, origin in product(SITES, ORIGINS):
                given = {"Sec-Fetch-Site": site, "Origin": origin}
                headers = {header: value for header, value in given.items() if value is not None}
                ours = site == "same-origin" or (site is None and origin == OURS)
                routes.reached.clear()
                status = web.open(path, method=method, headers=headers).status_code
                expected = (204, ["" if public else "ada"]) if method == "GET" or ours else (403, [])
                assert (status, routes.reached) == expected, (method, path, headers)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_header_decides_alone_whatever_cookie_comes_with_it(name: str, routes: Web) -> None:
    ours = {"Sec-Fetch-Site": "same-origin", "Origin": OURS}
    with client(name) as web:
        web.set_cookie("__session", SESSION)
        for method, rule, public in routes.endpoints:
            for header in ("", "Bearer", "Bearer yts_nobody", "Basic YTpi", f"Bearer {SESSION}", "garbage"):
                path = rule.replace("<", "").replace(">", "")
                answer = web.open(path, method=method, headers={"Authorization": header, **ours})
                assert answer.status_code == (204 if public else 401), (method, path, header)


def test_a_token_needs_no_origin(routes: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "read", lambda *paths, **_: [Snapshot(paths[0], {"user_id": "bea"}, None)])
    with client("account") as web:
        web.set_cookie("__session", SESSION)
        headers = {"Authorization": "Bearer yts_known", "Sec-Fetch-Site": "cross-site"}
        assert web.post("/api/tokens", headers=headers).status_code == 204
        assert routes.reached == ["bea"]


LOCAL = [
    ("localhost:8080", "http://localhost:8080"),
    ("127.0.0.1:9000", "http://127.0.0.1:9000"),
    ("[::1]:8080", "http://[::1]:8080"),
    # DNS rebinding: a stranger's name for this machine.
    ("evil.example:8080", "http://localhost:8080"),
    ("localhost.evil.example", "http://localhost:8080"),
    ("localhost:8080/@evil.example", "http://localhost:8080"),
]


@pytest.mark.parametrize(("host", "expected"), LOCAL)
def test_locally_the_origin_is_that_of_the_request(
    host: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    config.load.cache_clear()
    request = Request({"HTTP_X_FORWARDED_HOST": host, "SERVER_NAME": "x", "SERVER_PORT": "1"})
    assert origin_of_site.of(request) == expected
    config.load.cache_clear()


def test_off_this_machine_the_origin_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    request = Request({"HTTP_X_FORWARDED_HOST": "evil.example", "SERVER_NAME": "x", "SERVER_PORT": "1"})
    for value, expected in ((OURS, OURS), ("", None)):
        monkeypatch.setenv("PUBLIC_URL", value)
        config.load.cache_clear()
        if expected:
            assert origin_of_site.of(request) == expected
        else:
            with pytest.raises(ConfigError, match="PUBLIC_URL"):
                origin_of_site.of(request)
    config.load.cache_clear()


def test_off_this_machine_cookies_are_secure(routes: Web) -> None:
    request = Request({"SERVER_NAME": "x", "SERVER_PORT": "1"})
    answer = sessions.Cookie(SESSION, None).put(Response(), request)
    flags = {part.strip() for part in answer.headers["Set-Cookie"].split(";")}
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/", f"__session={SESSION}"} <= flags
