"""A page of another origin attacks the API from a browser that is signed in.

Another port of the same host is another origin but the same site. The browser therefore sends the session
cookie, whatever its SameSite attribute says. Only the API's own check of the origin stops such a page.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.security.visitors import Visitor
from tests.stack import Stack

_PAGE = b"<!doctype html><title>Win a prize</title><iframe name=hidden></iframe>"
#: Sends requests that change or read data: with fetch, with forms and as an image. A browser sends simple
#: requests (https://fetch.spec.whatwg.org/#cors-safelisted-method) without a preflight.
_ATTACK = """async ([origin, routes]) => {
  const found = [];
  for (const [method, path] of routes) {
    for (const mode of ["no-cors", "cors"]) {
      const options = {method, mode, credentials: "include", body: '{"playlist": "PLyts-sample-talks"}'};
      try { found.push((await fetch(origin + path, options)).status); } catch { found.push("refused"); }
    }
  }
  for (const path of ["/api/me", "/api/tokens", "/api/playlists", "/api/search?q=fire"]) {
    try { found.push(await (await fetch(origin + path, {credentials: "include"})).text()); }
    catch { found.push("refused"); }
  }
  for (const path of ["/api/logout", "/api/index", "/api/tokens"]) {
    const form = document.createElement("form");
    Object.assign(form, {method: "post", action: origin + path, target: "hidden", enctype: "text/plain"});
    const field = {name: '{"playlist": "PLx", "a', value: '": 1}'};
    form.append(Object.assign(document.createElement("input"), field));
    document.body.append(form);
    const frame = document.querySelector("iframe");
    const loaded = new Promise((resolve) => { frame.onload = resolve; });
    form.submit();
    await loaded;
  }
  await new Promise((resolve) => {
    const picture = new Image();
    picture.onload = picture.onerror = resolve;
    picture.src = origin + "/api/login";
  });
  return found;
}"""
_ROUTES = [("POST", "/api/index"), ("POST", "/api/tokens"), ("POST", "/api/logout"), ("DELETE", "/api/me")]


class _AttackerHandler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def attacker_port() -> Iterator[int]:
    """The port of a server with the attacker's page."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _AttackerHandler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def test_a_page_of_another_origin_can_neither_read_nor_change_anything(
    host: str, attacker_port: int, chromium: Browser, stack: Stack
) -> None:
    visitor = Visitor(stack)
    visitor.sign_in("demo")
    before = (visitor.get("/api/tokens"), visitor.get("/api/jobs"))
    context = chromium.new_context()
    parts = urlsplit(stack.url)
    context.add_cookies(
        [
            {
                "name": "__session",
                "value": visitor.cookie,
                "domain": str(parts.hostname),
                "path": "/",
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )
    page = context.new_page()
    sent: list[tuple[str, int]] = []
    page.on("response", lambda answer: sent.append((answer.request.method, answer.status)))
    page.goto(f"http://{host}:{attacker_port}/")
    found = page.evaluate(_ATTACK, [stack.url, _ROUTES])
    # The status is 0 for an answer that the page is not allowed to read.
    assert set(found) <= {0, "refused"}, found
    assert {status for method, status in sent if method in ("POST", "DELETE")} <= {401, 403, 405}, sent
    if host == "127.0.0.1":
        assert ("POST", 403) in sent, "expected requests with the cookie to be answered with 403"
    assert visitor.get("/api/me")["user_id"] == "demo"
    assert (visitor.get("/api/tokens"), visitor.get("/api/jobs")) == before
    (held,) = [each for each in context.cookies(stack.url) if each["name"] == "__session"]
    assert held["value"] == visitor.cookie
    visitor.ask("POST", "/api/logout")
    visitor.close()
    context.close()
