"""infra/local/gateway: the files that it serves, and the headers that it adds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local.gateway.__main__ import main
from tests.unit.infra.gateway.site import HEADERS, problem_of, site


def test_files_have_their_types_and_are_revalidated(frontend: Path) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            page = await here.get("/")
            assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert "é" in await page.text()
            assert page.headers["Cache-Control"] == "no-cache"
            script = await here.get("/app.js")
            assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
            again = await here.get("/app.js", headers={"If-None-Match": script.headers["ETag"]})
            assert again.status == 304
            assert again.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
            head = await here.client.head(here.url + "/app.js")
            assert (head.status, head.headers["Content-Length"]) == (200, "10")

    asyncio.run(visit())


@pytest.mark.parametrize(
    "path",
    [
        "/missing.js",
        "/images",
        "/images/",
        "/.secret.js",
        "/notes.py",
        "/link.js",
        "/../outside.js",
        "/%2e%2e/outside.js",
        "/..%2foutside.js",
        "//etc/passwd",
        "/%00",
        "/" + "a" * 5000,
    ],
)
def test_no_other_path_is_served(frontend: Path, path: str) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            host, port = here.url.removeprefix("http://").split(":")
            # A client library would normalise the path.
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
            assert b"outside of the directory" not in answer

    asyncio.run(visit())


def test_only_get_and_head_are_allowed(frontend: Path) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            response = await here.client.post(here.url + "/", data="x")
            assert response.headers["Allow"] == "GET, HEAD"
            assert (await problem_of(response))["status"] == 405

    asyncio.run(visit())


def test_every_answer_has_the_security_headers(frontend: Path) -> None:
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "img-src 'self' data: https://i.ytimg.com http://127.0.0.1:9;" in policy
    assert "frame-src http://127.0.0.1:9;" in policy
    assert "unsafe" not in policy
    assert "{" not in policy

    async def visit() -> None:
        async with site(frontend) as here:
            for path in ("/", "/missing", "/api/nowhere", "/api/search"):
                response = await here.get(path)
                assert HEADERS.items() <= dict(response.headers).items(), path
                assert response.headers["Server"] == "yts"

    asyncio.run(visit())


def test_a_wrong_argument_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "1", "--frontend", str(tmp_path / "no")], {}) == 2
    assert "--frontend: expected a directory" in capsys.readouterr().err
    assert main(["--port", "1", "--frontend", str(tmp_path), "--function", "nobody=http://x"], {}) == 2
    assert "found 'nobody'" in capsys.readouterr().err
