"""The gateway in this process, with a fake function behind it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestServer

from infra.local.gateway.gateway import HEADERS_FILE, application
from infra.local.gateway.proxy import Route
from shared.config import Config
from shared.page import security_headers

HEADERS = security_headers(
    HEADERS_FILE, Config.from_env({"YOUTUBE_EMBED_BASE_URL": "http://127.0.0.1:9/embed"})
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """The URL of the gateway, a client, and the requests that reached a function."""

    url: str
    client: ClientSession
    seen: list[web.Request] = field(default_factory=list)

    async def get(self, path: str, **options: Any) -> ClientResponse:
        return await self.client.get(self.url + path, **options)


async def echo(request: web.Request) -> web.StreamResponse:
    """A function that answers with the request."""
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
    frontend: Path,
    handler: Handler = echo,
    timeout: int = 5,
    host: str = "127.0.0.1",
    changes: Path | None = None,
) -> AsyncIterator[Site]:
    """A gateway with three functions: search, jobs and login. Its route to the export is longer than another.

    ``timeout`` is that of the routes, in seconds. ``host`` is the name of the functions' address.
    """
    seen: list[web.Request] = []

    async def remember(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return await handler(request)

    # functions-framework takes a first line of any length.
    functions = web.Application(handler_args={"max_line_size": 100_000})
    functions.router.add_route("*", "/{tail:.*}", remember)
    async with TestServer(functions) as upstream:
        url = f"http://{host}:{upstream.port}"
        routes = [Route("/api/search/export", "export", f"{url}/as-export", timeout)]
        routes += [Route(f"/api/{name}", name, url, timeout) for name in ("search", "jobs", "login")]
        app = application(routes, frontend, HEADERS, changes)
        async with TestServer(app) as gateway, ClientSession() as client:
            yield Site(str(gateway.make_url("")).rstrip("/"), client, seen)


async def problem_of(response: ClientResponse) -> dict[str, Any]:
    """The problem details of an answer."""
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = json.loads(await response.read())
    assert body["status"] == response.status
    assert body["title"]
    return body
