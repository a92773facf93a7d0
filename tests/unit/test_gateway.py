"""The gateway in this process, before functions of the test's own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from infra.local import proxy
from infra.local.gateway import application, main, security_headers
from infra.local.processes import free_ports
from infra.local.proxy import Route, routes_of
from infra.pipeline import load_pipeline
from shared.config import Config

HEADERS = security_headers(Config.from_env({"YOUTUBE_EMBED_BASE_URL": "http://127.0.0.1:9/embed"}))

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """The gateway's URL, the requests that reached a function, and a client without a mind of its own."""

    url: str
    client: ClientSession
    seen: list[web.Request] = field(default_factory=list)

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.client.get(self.url + path, **options)


async def echo(request: web.Request) -> web.StreamResponse:
    return web.json_response(
        {
            "method": request.method,
            "target": request.raw_path,
            "headers": {name.lower(): value for name, value in request.headers.items()},
            "body": (await request.read()).decode(),
        }
    )


@asynccontextmanager
async def site(
    frontend: Path, handler: Handler = echo, timeout: int = 5, host: str = "127.0.0.1"
) -> AsyncIterator[Site]:
    seen: list[web.Request] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await handler(request)

    # As functions-framework has it, which takes a line of any length.
    functions = web.Application(handler_args={"max_line_size": 100_000})
    functions.router.add_route("*", "/{tail:.*}", remember)
    async with TestServer(functions) as upstream:
        url = f"http://{host}:{upstream.port}"
        routes = [Route("/api/search/export", "export", f"{url}/as-export", timeout)]
        routes += [Route("/api/search", "search", url, timeout), Route("/api/jobs", "jobs", url, timeout)]
        async with TestServer(application(routes, frontend, HEADERS)) as gateway, ClientSession() as client:
            yield Site(str(gateway.make_url("")).rstrip("/"), client, seen)


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    directory = tmp_path / "frontend"
    (directory / "images").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html><title>é</title>")
    (directory / "app.js").write_text("export {};")
    (directory / ".secret.js").write_text("hidden")
    (directory / "notes.py").write_text("no type of the frontend")
    (tmp_path / "outside.js").write_text("not for visitors")
    (directory / "link.js").symlink_to(tmp_path / "outside.js")
    return directory


async def problem_of(response: ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(await response.read())
    assert body["status"] == response.status
    assert body["title"]
    return body


# -- the frontend --------------------------------------------------------------------------------------


def test_the_frontend_is_served_with_its_types_and_revalidated(frontend: Path) -> None:
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
def test_nothing_else_is_served(frontend: Path, path: str) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            host, port = here.url.removeprefix("http://").split(":")
            # As it stands: a client library would tidy the path up first.
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
            assert b"not for visitors" not in answer

    asyncio.run(visit())


def test_the_frontend_is_only_read(frontend: Path) -> None:
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


# -- the functions -------------------------------------------------------------------------------------


def test_a_request_arrives_as_it_was_sent_but_for_what_concerns_the_connection(frontend: Path) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            response = await here.client.put(
                here.url + "/api/search/a%2Fb?q=%22x%22&q=+y",
                data=b'{"a": "\xc3\xa9"}',
                headers={
                    "Authorization": "Bearer t",
                    "Cookie": "__session=s",
                    "Connection": "X-Mine",
                    "X-Mine": "1",
                    "X-Forwarded-For": "1.2.3.4",
                    "X-Forwarded-Host": "evil.example",
                    "Forwarded": "for=1.2.3.4",
                    "Content-Type": "application/json",
                },
                skip_auto_headers=("Accept-Encoding", "User-Agent"),
            )
            arrived = await response.json()
            assert (arrived["method"], arrived["body"]) == ("PUT", '{"a": "é"}')
            assert arrived["target"] == "/api/search/a%2Fb?q=%22x%22&q=+y"
            headers = arrived["headers"]
            assert headers["authorization"] == "Bearer t"
            assert headers["cookie"] == "__session=s"
            assert headers["content-type"] == "application/json"
            assert headers["x-forwarded-for"] == "127.0.0.1"
            assert headers["x-forwarded-proto"] == "http"
            assert headers["x-forwarded-host"] == here.url.removeprefix("http://")
            assert not {"x-mine", "forwarded", "accept-encoding", "user-agent"} & headers.keys()

    asyncio.run(visit())


def test_an_answer_comes_back_as_it_was_given(frontend: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        headers = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Keep-Alive", "timeout=9")]
        headers += [("Content-Security-Policy", "sandbox"), ("Location", "/api/jobs/1")]
        response = web.Response(status=303, reason="Over There", body=b"\x1f\x8bnot really", headers=headers)
        response.headers["Content-Encoding"] = "gzip"
        return response

    async def visit() -> None:
        async with site(frontend, answer) as here, ClientSession(auto_decompress=False) as client:
            response = await client.get(here.url + "/api/jobs", allow_redirects=False)
            assert (response.status, response.reason) == (303, "Over There")
            assert await response.read() == b"\x1f\x8bnot really"
            assert response.headers.getall("Set-Cookie") == ["a=1", "b=2"]
            assert response.headers["Content-Security-Policy"] == "sandbox"
            assert response.headers["Cache-Control"] == "no-store"
            assert "Keep-Alive" not in response.headers

    asyncio.run(visit())


def test_no_caller_gets_the_cookies_of_another(frontend: Path) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.json_response({"cookie": request.headers.get("Cookie")})
        response.set_cookie("__session", "first")
        return response

    async def visit() -> None:
        # A name, because clients keep no cookies of addresses.
        async with site(frontend, answer, host="localhost") as here, ClientSession() as other:
            await here.get("/api/jobs")
            response = await other.get(here.url + "/api/jobs")
            assert await response.json() == {"cookie": None}

    asyncio.run(visit())


def test_an_answer_is_handed_on_while_it_is_being_given(frontend: Path) -> None:
    go_on = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first\n")
        await go_on.wait()
        await response.write(b"second\n")
        return response

    async def visit() -> None:
        async with site(frontend, answer) as here:
            response = await here.get("/api/search/export")
            assert await asyncio.wait_for(response.content.readline(), 5) == b"first\n"
            go_on.set()
            assert await asyncio.wait_for(response.content.read(), 5) == b"second\n"

    asyncio.run(visit())


def test_the_longest_prefix_of_whole_segments_decides(frontend: Path) -> None:
    async def visit() -> None:
        async with site(frontend) as here:
            for path, target in (
                ("/api/search", "/api/search"),
                ("/api/search/", "/api/search/"),
                ("/api/search/exports", "/api/search/exports"),
                ("/api/search/export", "/as-export/api/search/export"),
                ("/api/search/export/x?y", "/as-export/api/search/export/x?y"),
            ):
                assert (await (await here.get(path)).json())["target"] == target
            for path in ("/api", "/api/", "/api/searching", "/api/nothing/search", "/api/Search"):
                response = await here.get(path)
                assert path in (await problem_of(response))["detail"]
                assert response.status == 404
            assert len(here.seen) == 5

    asyncio.run(visit())


def test_functions_without_routes_cannot_be_reached() -> None:
    pipeline = load_pipeline(Config.from_env({}))
    urls = {function.name: f"http://{function.name}/" for function in pipeline.functions}
    routes = routes_of(pipeline, urls)
    assert {route.function for route in routes} == {
        function.name for function in pipeline.functions if function.routes
    }
    assert {"planner", "fetcher", "indexer", "sweep", "reindex"} & {
        route.function for route in routes
    } == set()
    assert all(not route.url.endswith("/") for route in routes)


def test_too_large_a_body_is_refused(frontend: Path) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100_000

    async def visit() -> None:
        async with site(frontend) as here:
            for data in (b"x" * 1_000_001, chunks()):
                response = await here.client.post(here.url + "/api/jobs", data=data)
                assert "1,000,000 bytes" in (await problem_of(response))["detail"]
                assert response.status == 413
            response = await here.client.post(here.url + "/api/jobs", data=b"x" * 1_000_000)
            assert (await response.json())["body"] == "x" * 1_000_000
            assert len(here.seen) == 1

    asyncio.run(visit())


def test_a_long_query_is_for_the_function_to_judge(frontend: Path) -> None:
    async def go() -> None:
        async with site(frontend) as here:
            answer = await here.get("/api/search?q=" + "a" * 30_000)
            assert answer.status == 200
            assert (await answer.json())["target"].endswith("a" * 30_000)

    asyncio.run(go())


def test_a_function_that_starts_again_is_waited_for(frontend: Path) -> None:
    async def visit() -> None:
        port = free_ports(1)[0]
        functions = web.Application()
        functions.router.add_route("*", "/{tail:.*}", echo)
        upstream = TestServer(functions, port=port)
        routes = [Route("/api/jobs", "jobs", f"http://127.0.0.1:{port}", 5)]
        async with TestServer(application(routes, frontend, HEADERS)) as gateway, ClientSession() as client:
            asking = asyncio.create_task(client.post(gateway.make_url("/api/jobs"), data=b"once"))
            await asyncio.sleep(0.3)
            assert not asking.done()
            async with upstream:
                assert (await (await asking).json())["body"] == "once"

    asyncio.run(visit())


def test_a_function_that_is_not_there_is_a_503(frontend: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "_RESTARTING", 0.3)

    async def visit() -> None:
        routes = [Route("/api/jobs", "jobs", f"http://127.0.0.1:{free_ports(1)[0]}", 5)]
        async with TestServer(application(routes, frontend, HEADERS)) as gateway, ClientSession() as client:
            response = await client.delete(gateway.make_url("/api/jobs/1"))
            assert (await problem_of(response))["detail"].startswith("The function jobs is not running.")
            assert (response.status, response.headers["Retry-After"]) == (503, "2")

    asyncio.run(visit())


def test_a_function_that_takes_too_long_is_a_504(frontend: Path) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(20)
        return web.Response()

    async def visit() -> None:
        async with site(frontend, never, timeout=1) as here:
            response = await here.get("/api/jobs")
            assert "did not answer within 1 s" in (await problem_of(response))["detail"]
            assert response.status == 504

    asyncio.run(visit())


def test_a_function_that_breaks_off_before_the_answer_is_a_503(frontend: Path) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def visit() -> None:
        async with site(frontend, broken) as here:
            response = await here.client.post(here.url + "/api/jobs", data=b"x")
            assert "broke off" in (await problem_of(response))["detail"]
            assert len(here.seen) == 1  # it may have done its work: not sent twice

    asyncio.run(visit())


def test_an_answer_that_breaks_off_is_seen_to_be_incomplete(frontend: Path) -> None:
    half_read = asyncio.Event()

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"half of it")
        await half_read.wait()
        assert request.transport is not None
        request.transport.close()
        return response

    async def visit() -> None:
        async with site(frontend, broken) as here:
            response = await here.get("/api/jobs")
            assert await response.content.read(4) == b"half"
            half_read.set()
            with pytest.raises(ClientPayloadError):
                await response.read()

    asyncio.run(visit())


def test_what_is_wrong_with_the_command_line_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "1", "--frontend", str(tmp_path / "no")]) == 2
    assert "--frontend: expected a directory" in capsys.readouterr().err
    assert main(["--port", "1", "--frontend", str(tmp_path), "--function", "nobody=http://x"]) == 2
    assert "found 'nobody'" in capsys.readouterr().err
