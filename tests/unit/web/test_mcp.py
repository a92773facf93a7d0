"""/mcp: closed without a token, to guests and cookies, to pages of other sites, and to long bodies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response as FlaskResponse
from werkzeug.wrappers import Request, Response

from shared.accounts.auth import Caller
from shared.config import Config
from shared.web.mcp import Tools, add_routes
from shared.web.origin import Site
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client
from tests.unit.mcp.served import hit, results
from tests.unit.stored import SESSION, TOKEN, accounts_of_ada

OURS = {"Sec-Fetch-Site": "same-origin"}
LOCAL, DEPLOYED = Config(firestore_emulator_host="localhost:1"), Config(public_url="https://yts.test")


class Web:
    """The route, and an API in the same process. ``tokens``: those that came to the API."""

    def __init__(self, config: Config) -> None:
        self.tokens: list[str] = []

        @Request.application
        def api(request: Request) -> Response:
            self.tokens.append(request.headers["Authorization"])
            return Response(json.dumps(results(hit(1, 1))), mimetype="application/json")

        routes, tools = Routes(config, accounts_of_ada()), Tools("http://yts.test")
        tools.ask(api)
        add_routes(routes, tools, Site(config))
        self.client = client("sample", SAMPLE, routes=routes)

    def ask(self, method: str = "ping", params: Any = None, **headers: str) -> Any:
        given = {
            "Authorization": f"Bearer {TOKEN}",
            "Accept": "application/json",
            "MCP-Protocol-Version": "2025-06-18",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        body = {"jsonrpc": "2.0", "id": 1, "method": method} | ({"params": params} if params else {})
        return self.client.post("/mcp", json=body, headers=given)


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web(LOCAL)
    with made.client:
        yield made


def test_a_message_is_answered_in_the_name_of_its_caller(web: Web) -> None:
    assert web.ask().get_json() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    answer = web.ask("tools/call", {"name": "search", "arguments": {"q": "lease"}})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["result"]["structuredContent"]["total"] == 1
    assert web.tokens == [f"Bearer {TOKEN}"]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer yts_unknown", f"Basic {TOKEN}"])
def test_without_a_token_the_answer_says_how_to_authenticate(token: str, web: Web) -> None:
    answer = web.ask("tools/list", Authorization=token)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert web.tokens == []


def test_a_cookie_is_no_token(web: Web) -> None:
    web.client.set_cookie("__session", SESSION)
    answer = web.client.post("/mcp", json={}, headers=OURS)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "API token" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("config", "headers", "status"),
    [
        (LOCAL, {"Host": "localhost:8080"}, 200),
        (LOCAL, {"Host": "127.0.0.1:8080", "Origin": "http://127.0.0.1:8080"}, 200),
        (LOCAL, {"Host": "127.0.0.1:9", "X_Forwarded_Host": "[::1]:8080"}, 200),
        (LOCAL, {"Host": "evil.example"}, 403),
        (LOCAL, {"Host": "127.0.0.1:9", "X_Forwarded_Host": "evil.example:8080"}, 403),
        (LOCAL, {"Host": "localhost:8080", "Origin": "http://evil.example"}, 403),
        (LOCAL, {"Host": "localhost:8080", "Origin": "null"}, 403),
        (DEPLOYED, {"Host": "web-123.a.run.app"}, 200),
        (DEPLOYED, {"Origin": "https://yts.test"}, 200),
        (DEPLOYED, {"Origin": "https://evil.example"}, 403),
    ],
)
def test_a_page_of_another_site_is_refused(config: Config, headers: dict[str, str], status: int) -> None:
    web = Web(config)
    with web.client:
        assert web.ask(**headers).status_code == status


def test_what_is_no_message_is_refused(web: Web) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}

    def post(body: bytes, **more: str) -> Any:
        return web.client.post("/mcp", data=body, headers=headers | more)

    json_type = {"Content-Type": "application/json"}
    assert post(b"x" * 70_000, **json_type).status_code == 413
    for body in (b"", b"{", b"[]", b"\xff", b'"x"', b"[" * 60_000, b'{"jsonrpc": "2.0", "id": 1}'):
        answer = post(body, **json_type)
        assert answer.status_code == 400, (body[:20], answer.text)
        assert answer.get_json()["detail"]
    message = b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
    assert "Content-Type" in post(message, **{"Content-Type": "text/plain"}).get_json()["detail"]
    # What only the protocol knows is its own error.
    answer = post(message, **json_type, Accept="text/html")
    assert (answer.status_code, answer.get_json()["jsonrpc"]) == (406, "2.0")
    # There is no stream and no session.
    for method in ("get", "delete"):
        answer = getattr(web.client, method)("/mcp", headers=headers)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_the_process_itself_can_be_the_api(web: Web) -> None:
    """As in `web`: a request to itself takes no second thread."""
    routes, tools = Routes(LOCAL, accounts_of_ada()), Tools("http://yts.test")
    add_routes(routes, tools, Site(LOCAL))
    callers: list[str] = []

    @routes.get("/api/search", files=["application/json"])
    def search(request: Request, caller: Caller) -> FlaskResponse:
        """Find nothing."""
        callers.append(f"{caller.user_id} {request.args['q']}")
        return FlaskResponse(json.dumps(results()), mimetype="application/json")

    tools.ask(routes.answer)
    web.client = client("sample", SAMPLE, routes=routes)
    answer = web.ask("tools/call", {"name": "search", "arguments": {"q": "ein Gerät"}})
    assert answer.get_json()["result"]["structuredContent"]["total"] == 0, answer.text
    assert callers == ["ada ein Gerät"]


def test_the_packages_are_imported_with_the_first_message() -> None:
    code = "import sys, shared.web.mcp as web; web.Tools('http://x'); print('pydantic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert shown.stdout.strip() == b"False"
