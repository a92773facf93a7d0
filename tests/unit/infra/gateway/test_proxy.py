"""infra/local/gateway/proxy.py: requests are handed to functions, and answers back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientPayloadError, ClientSession, web
from aiohttp.test_utils import TestServer

from infra.local.gateway.gateway import application
from infra.local.gateway.proxy import Route, routes_of
from infra.local.supervisor.ports import free_ports
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.unit.infra.gateway.site import HEADERS, echo, problem_of, site


def test_a_request_arrives_unchanged_except_for_headers_of_the_connection(frontend: Path) -> None:
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


def test_an_answer_comes_back_unchanged(frontend: Path) -> None:
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
        # Clients keep cookies of names only, not of addresses.
        async with site(frontend, answer, host="localhost") as here, ClientSession() as other:
            await here.get("/api/jobs")
            response = await other.get(here.url + "/api/jobs")
            assert await response.json() == {"cookie": None}

    asyncio.run(visit())


def test_parts_of_an_answer_are_sent_as_they_come(frontend: Path) -> None:
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


def test_the_longest_matching_route_is_used(frontend: Path) -> None:
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


def test_a_request_that_may_have_changed_something_touches_the_file_afterwards(
    frontend: Path, tmp_path: Path
) -> None:
    changes = tmp_path / "changes"
    seen_by_function: list[bool] = []

    async def function(request: web.Request) -> web.StreamResponse:
        seen_by_function.append(changes.exists())
        return web.Response(status=409)

    async def visit() -> None:
        async with site(frontend, function, changes=changes) as here:
            for method in ("GET", "HEAD"):
                await here.client.request(method, here.url + "/api/jobs")
                await here.client.request(method, here.url + "/")
            assert not changes.exists()
            await here.get("/api/login/callback?code=1")
            assert changes.exists()
            changes.unlink()
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                async with here.client.request(method, here.url + "/api/jobs") as answer:
                    assert answer.status == 409
                assert changes.exists()
                changes.unlink()
            async with here.client.post(here.url + "/") as answer:
                assert answer.status == 405
            assert not changes.exists()
        assert seen_by_function == [False] * 7

    asyncio.run(visit())


def test_requests_succeed_if_the_file_cannot_be_touched(
    frontend: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def visit() -> None:
        async with site(frontend, changes=tmp_path / "missing" / "changes") as here:
            async with here.client.post(here.url + "/api/jobs", data=b"{}") as answer:
                assert (await answer.json())["body"] == "{}"
            # The connection can still be used.
            async with here.client.post(here.url + "/api/jobs", data=b"2") as answer:
                assert (await answer.json())["body"] == "2"

    asyncio.run(visit())
    assert caplog.messages == []


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


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/api/videos/dQw4w9WgXcQ", "search"),
        ("/api/videos/dQw4w9WgXcQ/fetch", "index"),
        ("/api/videos/dQw4w9WgXcQ/fetched", "search"),
        ("/api/videos/fetch", "search"),
        ("/api/videos/a/b/fetch", "search"),
        ("/api/videos", "search"),
        ("/api/index", "index"),
        ("/api/indexes", None),
        ("/api", None),
    ],
)
def test_the_longest_prefix_of_whole_segments_counts(path: str, function: str | None) -> None:
    pipeline = load_pipeline(Config.from_env({}))
    routes = routes_of(pipeline, {each.name: "http://x" for each in pipeline.functions})
    assert next((route.function for route in routes if route.matches(path)), None) == function


def test_a_body_that_is_too_long_is_refused(frontend: Path) -> None:
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


def test_a_long_query_reaches_the_function(frontend: Path) -> None:
    async def go() -> None:
        async with site(frontend) as here:
            answer = await here.get("/api/search?q=" + "a" * 30_000)
            assert answer.status == 200
            assert (await answer.json())["target"].endswith("a" * 30_000)

    asyncio.run(go())


def test_a_request_waits_for_a_function_that_is_restarted(frontend: Path) -> None:
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


def test_requests_are_refused_while_the_library_is_being_loaded(frontend: Path, tmp_path: Path) -> None:
    async def visit() -> None:
        routes = [Route("/api/jobs", "jobs", f"http://127.0.0.1:{free_ports(1)[0]}", 5)]
        loading = tmp_path / "loading"
        loading.touch()
        app = application(routes, frontend, HEADERS, loading=loading)
        async with TestServer(app) as gateway, ClientSession() as client:
            response = await client.get(gateway.make_url("/api/jobs"))
            assert (response.status, response.headers["Retry-After"]) == (503, "2")
            assert "is being loaded" in (await response.json())["detail"]
            loading.write_text("The library does not fit into 64 MB of memory.\n")
            response = await client.get(gateway.make_url("/api/jobs"))
            assert (await response.json())["detail"] == "The library does not fit into 64 MB of memory."
            assert (await client.get(gateway.make_url("/"))).status == 200

    asyncio.run(visit())


def test_a_function_that_does_not_come_back_is_a_503(frontend: Path) -> None:
    async def visit() -> None:
        routes = [Route("/api/jobs", "jobs", f"http://127.0.0.1:{free_ports(1)[0]}", 5)]
        app = application(routes, frontend, HEADERS, restart_seconds=0.3)
        async with TestServer(app) as gateway, ClientSession() as client:
            response = await client.delete(gateway.make_url("/api/jobs/1"))
            assert (await problem_of(response))["detail"].startswith("The service is being restarted.")
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


def test_a_function_that_ends_before_its_answer_is_a_503(frontend: Path) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def visit() -> None:
        async with site(frontend, broken) as here:
            response = await here.client.post(here.url + "/api/jobs", data=b"x")
            assert "ended before it answered" in (await problem_of(response))["detail"]
            assert len(here.seen) == 1  # The function may have done its work, so the request is not repeated.

    asyncio.run(visit())


def test_a_client_notices_that_an_answer_broke_off(frontend: Path) -> None:
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
