"""Requests handed on to the functions, and their answers handed back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
    web,
)
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from infra.pipeline import Pipeline

#: Bytes of a request's body; the functions take less.
MAXIMUM_BODY = 1_000_000
#: Seconds a function that refuses connections is waited for: it is being started again.
_RESTARTING = 3.0
_CONNECT = 3.0
#: Of one connection, not of the whole way (RFC 9110, 7.6.1); and what each server says of itself.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection")
) | {"te", "trailer", "transfer-encoding", "upgrade", "content-length", "server", "date"}
#: Nobody but this proxy says who the client is.
_NOT_FROM_CLIENTS = frozenset(
    ("host", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
)


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
    """Longest prefix first. A function without routes has none here."""
    found = [
        Route(prefix.rstrip("/"), function.name, urls[function.name].rstrip("/"), function.timeout_seconds)
        for function in pipeline.functions
        if function.name in urls
        for prefix in function.routes
    ]
    return sorted(found, key=lambda route: len(route.prefix), reverse=True)


def problem(status: int, title: str, detail: str) -> web.Response:
    """RFC 9457."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    answer = web.json_response(body, status=status, content_type="application/problem+json")
    if status == 503:
        answer.headers["Retry-After"] = "2"
    return answer


class Proxy:
    """``connected`` is to run as long as requests are handed on."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = routes
        self._client: ClientSession | None = None

    async def connected(self, app: web.Application) -> AsyncIterator[None]:
        # No limit: the functions have their own number of threads. A connection is not used again
        # near the end of the two seconds after which a function closes it. And no cookie of one
        # caller is kept for the next.
        connector = TCPConnector(limit=0, keepalive_timeout=1.0)
        async with ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        ) as self._client:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.rel_url.raw_path
        route = next((route for route in self._routes if route.matches(path)), None)
        if route is None:
            return problem(404, "Not found", f"There is nothing at {request.path[:200]}.")
        # Small, and read whole: a function's thread does not wait for a slow client, and it can be
        # sent once more.
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return problem(413, "Content too large", f"At most {MAXIMUM_BODY:,} bytes are taken.")
        answer = await self._send(request, route, body)
        return answer if isinstance(answer, web.Response) else await _hand_back(request, answer)

    async def _send(self, request: web.Request, route: Route, body: bytes) -> ClientResponse | web.Response:
        if self._client is None:
            raise RuntimeError("expected the proxy to be connected")
        headers = _end_to_end(request.headers, _NOT_FROM_CLIENTS)
        headers["X-Forwarded-For"] = request.remote or ""
        headers["X-Forwarded-Proto"] = request.scheme
        headers["X-Forwarded-Host"] = request.host
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _RESTARTING
        while True:
            try:
                return await self._client.request(
                    request.method,
                    URL(route.url + request.rel_url.raw_path_qs, encoded=True),
                    headers=headers,
                    data=body or None,
                    allow_redirects=False,
                    timeout=ClientTimeout(sock_connect=_CONNECT, sock_read=route.timeout),
                )
            except ClientConnectorError as error:
                # Nothing was sent yet, so any method may be tried again.
                if loop.time() > deadline:
                    _say(f"{route.function}: {error}")
                    detail = f"The function {route.function} is not running. Try again in a moment."
                    return problem(503, "Temporarily unavailable", detail)
                await asyncio.sleep(0.1)
            except TimeoutError:
                detail = f"The function {route.function} did not answer within {route.timeout} s."
                return problem(504, "Gateway timeout", detail)
            except ClientError as error:
                _say(f"{route.function}: {type(error).__name__}: {error}")
                detail = f"The function {route.function} broke off. Try again in a moment."
                return problem(503, "Temporarily unavailable", detail)


async def _hand_back(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    """As it comes, without waiting for its end."""
    async with answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in _end_to_end(answer.headers).items():
            response.headers.add(name, value)
        if length := answer.headers.get("Content-Length"):
            response.headers["Content-Length"] = length
        # What says nothing about caches is somebody's own data.
        response.headers.setdefault("Cache-Control", "no-store")
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        except (ClientError, TimeoutError, OSError) as error:
            # The status is out: all that is left is to let the client see that the rest is missing.
            _say(f"{request.path}: broken off: {type(error).__name__}: {error}")
            if request.transport is not None:
                request.transport.abort()
        return response


def _end_to_end(headers: CIMultiDictProxy[str], dropped: frozenset[str] = frozenset()) -> CIMultiDict[str]:
    """Without what concerns one connection only, be it known or named by the sender."""
    named = {name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",")}
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP | dropped | named
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
