"""The one origin of a local run: the frontend at `/`, the functions under `/api/`.

What a hosting with rewrites does in the cloud. A function is reached by the longest of its `routes`
in infra/pipeline.yaml that matches whole path segments; functions without routes are not reached.

    python -m infra.local.gateway --port 8080 --frontend frontend --function index=http://127.0.0.1:1234 …
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import ClientConnectorError, ClientError, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

from infra.pipeline import Pipeline, load_pipeline
from shared import config
from shared.config import Config

_HEADERS_FILE = Path(__file__).parent.parent / "headers.json"
#: Bytes of a request's body; the functions take less.
_MAXIMUM_BODY = 1_000_000
#: Seconds a function that refuses connections is waited for: it is being started again.
_RESTARTING = 5.0
_CONNECT = 3.0
#: Of one connection, not of the whole way (RFC 9110, 7.6.1).
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "proxy-authenticate")
) | {"proxy-authorization", "host", "content-length", "server", "date"}


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix of whole path segments, and the function behind it; ``timeout`` in seconds."""

    prefix: str
    function: str
    url: str
    timeout: int

    def matches(self, path: str) -> bool:
        return path == self.prefix or path.startswith(self.prefix + "/")


def routes_of(pipeline: Pipeline, urls: Mapping[str, str]) -> list[Route]:
    """Longest prefix first."""
    found = [
        Route(prefix.rstrip("/"), function.name, urls[function.name], function.timeout_seconds)
        for function in pipeline.functions
        if function.name in urls
        for prefix in function.routes
    ]
    return sorted(found, key=lambda route: len(route.prefix), reverse=True)


def security_headers(settings: Config) -> dict[str, str]:
    """Those of infra/headers.json, with the origins that pictures and the player come from."""
    described = json.loads(_HEADERS_FILE.read_text(encoding="utf-8"))
    player = _origin(settings.youtube_embed_base_url)
    images = " ".join(dict.fromkeys((described["images"], player)))
    fill = {"{images}": images, "{player}": player}
    headers: dict[str, str] = described["headers"]
    for placeholder, value in fill.items():
        headers = {name: text.replace(placeholder, value) for name, text in headers.items()}
    return headers


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def problem(status: int, title: str, detail: str) -> web.Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


class Gateway:
    def __init__(self, routes: list[Route], frontend: Path, headers: Mapping[str, str]) -> None:
        self._routes = routes
        self._frontend = frontend.resolve()
        self._headers = headers
        self._client: ClientSession | None = None

    def app(self) -> web.Application:
        app = web.Application(client_max_size=_MAXIMUM_BODY, handler_args={"auto_decompress": False})
        app.router.add_route("*", "/api", self._proxy)
        app.router.add_route("*", "/api/{tail:.*}", self._proxy)
        app.router.add_get("/{tail:.*}", self._file)
        app.on_response_prepare.append(self._secure)
        app.cleanup_ctx.append(self._connect)
        return app

    async def _connect(self, app: web.Application):  # type: ignore[no-untyped-def]
        # No limit of connections here: the functions have their own number of threads.
        async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as client:
            self._client = client
            yield

    async def _secure(self, request: web.Request, response: web.StreamResponse) -> None:
        for name, value in self._headers.items():
            # A function's answer may be stricter about itself.
            response.headers.setdefault(name, value)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        wanted = (self._frontend / (request.match_info["tail"] or "index.html")).resolve()
        if not wanted.is_relative_to(self._frontend) or not wanted.is_file() or wanted.name.startswith("."):
            return problem(404, "Not found", f"There is nothing at {request.path[:200]}.")
        # Asked for again each time, and answered 304 by its ETag: no stale page after an update.
        return web.FileResponse(wanted, headers={"Cache-Control": "no-cache"})

    async def _proxy(self, request: web.Request) -> web.StreamResponse:
        route = next((route for route in self._routes if route.matches(request.path)), None)
        if route is None:
            return problem(404, "Not found", f"There is nothing at {request.path[:200]}.")
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return problem(413, "Content too large", f"At most {_MAXIMUM_BODY:,} bytes are taken.")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _RESTARTING
        while True:
            try:
                return await self._forward(request, route, body)
            except ClientConnectorError:
                # Nothing was sent yet, so any method may be tried again.
                if loop.time() > deadline:
                    detail = f"The function {route.function} is not running. Try again in a moment."
                    return problem(503, "Temporarily unavailable", detail)
                await asyncio.sleep(0.1)
            except TimeoutError:
                detail = f"The function {route.function} did not answer within {route.timeout} s."
                return problem(504, "Gateway timeout", detail)
            except ClientError as error:
                why = type(error).__name__
                detail = f"The function {route.function} broke off ({why}). Try again in a moment."
                return problem(503, "Temporarily unavailable", detail)

    async def _forward(self, request: web.Request, route: Route, body: bytes) -> web.StreamResponse:
        headers = CIMultiDict(
            (name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP
        )
        headers["X-Forwarded-For"] = request.remote or ""
        headers["X-Forwarded-Proto"] = request.scheme
        headers["X-Forwarded-Host"] = request.host
        if self._client is None:
            raise RuntimeError("the gateway has not started")
        async with self._client.request(
            request.method,
            URL(route.url + request.raw_path, encoded=True),
            headers=headers,
            data=body or None,
            allow_redirects=False,
            timeout=ClientTimeout(sock_connect=_CONNECT, sock_read=route.timeout),
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    response.headers.add(name, value)
            if (length := answer.headers.get("Content-Length")) is not None:
                response.headers["Content-Length"] = length
            await response.prepare(request)
            if request.method != "HEAD":
                async for chunk in answer.content.iter_any():
                    await response.write(chunk)
            await response.write_eof()
            return response


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--frontend", type=Path, required=True)
    parser.add_argument("--function", action="append", default=[], metavar="NAME=URL")
    options = parser.parse_args()
    settings = config.load()
    urls = dict(pair.split("=", 1) for pair in options.function)
    routes = routes_of(load_pipeline(settings), urls)
    gateway = Gateway(routes, options.frontend, security_headers(settings))
    # Both loopbacks: "localhost" may be either.
    hosts = ["127.0.0.1", "::1"]
    web.run_app(gateway.app(), host=hosts, port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
