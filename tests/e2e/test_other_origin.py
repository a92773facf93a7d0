"""A real browser, signed in, that a page of another origin tries to use.

To a browser another port of the same name is another origin but the same site: the cookie goes along,
whatever SameSite says. What stops such a page is our own check.
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
#: What changes something, as a page can send it without being asked for permission first (a simple
#: request, https://fetch.spec.whatwg.org/#cors-safelisted-method), and as it would like to.
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


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(_PAGE)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[int]:
    """The port of somebody else's site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield int(server.server_address[1])
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["same-site", "cross-site"])
def test_a_page_of_another_origin_neither_changes_nor_reads_anything(
    host: str, elsewhere: int, chromium: Browser, stack: Stack
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
    page.goto(f"http://{host}:{elsewhere}/")
    found = page.evaluate(_ATTACK, [stack.url, _ROUTES])
    # An answer that the page may not look into has the status 0.
    assert set(found) <= {0, "refused"}, found
    assert {status for method, status in sent if method in ("POST", "DELETE")} <= {401, 403, 405}, sent
    if host == "127.0.0.1":
        assert ("POST", 403) in sent, "the cookie went along, and was not enough"
    assert visitor.get("/api/me")["user_id"] == "demo"
    assert (visitor.get("/api/tokens"), visitor.get("/api/jobs")) == before
    (held,) = [each for each in context.cookies(stack.url) if each["name"] == "__session"]
    assert held["value"] == visitor.cookie
    visitor.ask("POST", "/api/logout")
    visitor.close()
    context.close()
