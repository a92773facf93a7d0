"""Cross-site requests: a request that a page of another origin makes a browser send changes nothing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from flask import Request, Response

from infra.pipeline import load_pipeline
from shared.accounts.auth import Caller
from shared.accounts.sessions import LIFETIME, Cookie
from shared.config import Config, ConfigError
from shared.web.cookies import read_cookie, set_cookie
from shared.web.origin import Site
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client, endpoints
from tests.unit.stored import SESSION, TOKEN, accounts_of_ada

OURS = "https://yts.test"
CONFIG = Config(public_url=OURS)
#: The functions that the gateway lets people reach.
FUNCTIONS = [each.name for each in load_pipeline(Config()).functions if each.routes]
SITES = ("same-origin", "same-site", "cross-site", "none", "", "SAME-ORIGIN", None)
ORIGINS = (OURS, "https://evil.example", "https://yts.test.evil.example", "http://yts.test", "null", "", None)


class Web:
    """A browser with a session of ada, and the routes of a function whose handlers only note the caller."""

    def __init__(self, name: str) -> None:
        self.endpoints = endpoints(name)
        self.callers: list[str] = []
        routes = Routes(CONFIG, accounts_of_ada())
        for method, rule, public in self.endpoints:
            getattr(routes, method.lower())(rule, public=public, status=204)(self._handle)
        self._client = client("sample", SAMPLE, routes=routes)
        self._client.set_cookie("__session", SESSION)

    def _handle(self, request: Request, caller: Caller, **_: str) -> Response:
        """Notes the caller."""
        self.callers.append(caller.user_id)
        return Response(status=204)

    def ask(self, method: str, rule: str, headers: dict[str, str]) -> tuple[int, list[str]]:
        """The status, and the callers whose handlers were called."""
        self.callers.clear()
        path = rule.replace("<", "").replace(">", "")
        return self._client.open(path, method=method, headers=headers).status_code, list(self.callers)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_change_needs_a_proof_of_our_own_origin(name: str) -> None:
    web = Web(name)
    assert web.endpoints
    for method, rule, public in web.endpoints:
        assert method == "GET" or not public, f"{method} {rule} lets anybody change something"
        for site, origin in product(SITES, ORIGINS):
            given = {"Sec-Fetch-Site": site, "Origin": origin}
            headers = {header: value for header, value in given.items() if value is not None}
            ours = site == "same-origin" or (site is None and origin == OURS)
            allowed = method == "GET" or ours
            expected = (204, ["" if public else "ada"]) if allowed else (403, [])
            assert web.ask(method, rule, headers) == expected, (method, rule, headers)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_header_decides_alone_whatever_cookie_comes_with_it(name: str) -> None:
    web = Web(name)
    for method, rule, public in web.endpoints:
        for header in ("", "Bearer", "Bearer yts_nobody", "Basic YTpi", f"Bearer {SESSION}", "garbage"):
            headers = {"Authorization": header, "Sec-Fetch-Site": "same-origin", "Origin": OURS}
            expected = (204, [""]) if public else (401, [])
            assert web.ask(method, rule, headers) == expected, (method, rule, header)


def test_a_token_needs_no_origin() -> None:
    web = Web("account")
    headers = {"Authorization": f"Bearer {TOKEN}", "Sec-Fetch-Site": "cross-site"}
    assert web.ask("POST", "/api/tokens", headers) == (204, ["ada"])


def _request(**headers: str) -> Request:
    return Request({"SERVER_NAME": "x", "SERVER_PORT": "1", **headers})


LOCAL = [
    ("localhost:8080", "http://localhost:8080"),
    ("127.0.0.1:9000", "http://127.0.0.1:9000"),
    ("[::1]:8080", "http://[::1]:8080"),
    # DNS rebinding: an attacker's name for this machine.
    ("evil.example:8080", "http://localhost:8080"),
    ("localhost.evil.example", "http://localhost:8080"),
    ("localhost:8080/@evil.example", "http://localhost:8080"),
]


@pytest.mark.parametrize(("host", "expected"), LOCAL)
def test_locally_the_origin_is_that_of_the_request(host: str, expected: str) -> None:
    site = Site(Config(firestore_emulator_host="127.0.0.1:1"))
    request = _request(HTTP_X_FORWARDED_HOST=host)
    assert site.origin(request) == expected
    assert not site.is_secure(request)


def test_off_this_machine_the_origin_is_configured() -> None:
    request = _request(HTTP_X_FORWARDED_HOST="evil.example")
    assert Site(CONFIG).origin(request) == OURS
    assert Site(CONFIG).is_secure(request)
    with pytest.raises(ConfigError, match="PUBLIC_URL"):
        Site(Config()).origin(request)


def _flags(answer: Response) -> set[str]:
    return {part.strip() for part in answer.headers["Set-Cookie"].split(";")}


@pytest.mark.parametrize("secure", [True, False])
def test_no_script_and_no_other_site_gets_the_cookie(secure: bool) -> None:
    flags = _flags(set_cookie(Response(), Cookie(SESSION), secure=secure))
    assert {"HttpOnly", "SameSite=Lax", "Path=/", f"__session={SESSION}"} <= flags
    assert f"Max-Age={int(LIFETIME.total_seconds())}" in flags
    assert ("Secure" in flags) == secure
    assert not any(flag.startswith("Domain") for flag in flags)


def test_an_empty_cookie_makes_the_browser_forget_it() -> None:
    assert {"__session=", "Max-Age=0"} <= _flags(set_cookie(Response(), Cookie(), secure=True))


ATTEMPT = f"yts_attempt_{'b' * 43}"


@pytest.mark.parametrize(
    ("text", "cookie"),
    [
        (SESSION, Cookie(SESSION)),
        (f"~{ATTEMPT}", Cookie(None, ATTEMPT)),
        (f"{SESSION}~{ATTEMPT}", Cookie(SESSION, ATTEMPT)),
        ("", Cookie()),
        ("~", Cookie()),
        (f"{SESSION}a", Cookie()),
        (f"{ATTEMPT}~{SESSION}", Cookie()),
        (f"{SESSION}~{ATTEMPT}~{ATTEMPT}", Cookie(SESSION)),
        (TOKEN, Cookie()),
    ],
)
def test_a_cookie_is_read_as_it_was_written_or_ignored(text: str, cookie: Cookie) -> None:
    found: Any = read_cookie(_request(HTTP_COOKIE=f"__session={text}"))
    assert found == cookie
    if found.text:
        assert Cookie.parse(found.text) == found
