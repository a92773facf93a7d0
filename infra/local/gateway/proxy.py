"""Hands requests to the functions, and hands their answers back."""

from __future__ import annotations

import asyncio
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

from infra.local.gateway.problems import GatewayTimeout
from infra.pipeline import Pipeline
from shared import logs
from shared.errors import NotFound, TooLarge, Unavailable

#: The longest body of a request, in bytes. The functions take less.
MAXIMUM_BODY = 1_000_000
#: The timeout for connecting to a function, in seconds.
_CONNECT = 3.0
#: Headers that belong to one connection and are not handed on (RFC 9110, 7.6.1), and headers that each server
#: sets itself.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection")
) | {"te", "trailer", "transfer-encoding", "upgrade", "content-length", "server", "date"}
#: A client must not claim to be another, so only this proxy sets these headers.
_NOT_FROM_CLIENTS = frozenset(
    ("host", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")
)


@dataclass(frozen=True, slots=True)
class Route:
    """A prefix of whole path segments (``*`` is any one), and the function behind it.

    ``timeout`` is in seconds.
    """

    prefix: str
    function: str
    url: str
    timeout: int

    def matches(self, path: str) -> bool:
        wanted = self.prefix.split("/")
        found = path.split("/")[: len(wanted)]
        return len(found) == len(wanted) and all(map(_same_segment, wanted, found))


def _same_segment(wanted: str, found: str) -> bool:
    return wanted in (found, "*")


def routes_of(pipeline: Pipeline, urls: Mapping[str, str]) -> list[Route]:
    """The routes of the functions that have a URL, longest prefix first."""
    found = [
        Route(prefix.rstrip("/"), function.name, urls[function.name].rstrip("/"), function.timeout_seconds)
        for function in pipeline.functions
        if function.name in urls
        for prefix in function.routes
    ]
    return sorted(found, key=lambda route: len(route.prefix), reverse=True)


class Proxy:
    """Needs ``connected`` to be open while it handles requests.

    A function that refuses connections is being restarted. Requests wait for it for ``restart_seconds``.
    """

    def __init__(self, routes: list[Route], restart_seconds: float) -> None:
        self._routes = routes
        self._restart_seconds = restart_seconds
        self._client: ClientSession | None = None

    async def connected(self, app: web.Application) -> AsyncIterator[None]:
        # The number of connections is not limited here: functions limit their threads. Functions close an
        # idle connection after two seconds, so a connection is not reused that late. Without a cookie jar, no
        # caller gets the cookies of another.
        connector = TCPConnector(limit=0, keepalive_timeout=1.0)
        async with ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
        ) as self._client:
            yield

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Raises RequestError."""
        path = request.rel_url.raw_path
        route = next((route for route in self._routes if route.matches(path)), None)
        if route is None:
            raise NotFound(f"There is nothing at {request.path[:200]}.")
        # Reading the whole body first keeps slow clients away from the threads of a function, and lets the
        # request be sent again.
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise TooLarge(f"The request has more than {MAXIMUM_BODY:,} bytes. Send less.") from error
        return await _hand_back(request, await self._send(request, route, body))

    async def _send(self, request: web.Request, route: Route, body: bytes) -> ClientResponse:
        if self._client is None:
            raise RuntimeError("expected the proxy to be connected")
        headers = _end_to_end(request.headers, _NOT_FROM_CLIENTS)
        headers["X-Forwarded-For"] = request.remote or ""
        headers["X-Forwarded-Proto"] = request.scheme
        headers["X-Forwarded-Host"] = request.host
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._restart_seconds
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
                # Nothing was sent, so even a POST can be retried.
                if loop.time() > deadline:
                    logs.warning("no connection", function=route.function, reason=str(error))
                    raise Unavailable("The service is being restarted. Try again in a moment.") from error
                await asyncio.sleep(0.1)
            except TimeoutError as error:
                logs.warning("no answer in time", function=route.function, seconds=route.timeout)
                raise GatewayTimeout(
                    f"The service did not answer within {route.timeout} s. Try again."
                ) from error
            except ClientError as error:
                logs.warning("no answer", function=route.function, reason=f"{type(error).__name__}: {error}")
                raise Unavailable("The service ended before it answered. Try again in a moment.") from error


async def _hand_back(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    """Sends each part of the answer as soon as it comes."""
    async with answer:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in _end_to_end(answer.headers).items():
            response.headers.add(name, value)
        if length := answer.headers.get("Content-Length"):
            response.headers["Content-Length"] = length
        # An answer without Cache-Control may have personal data.
        response.headers.setdefault("Cache-Control", "no-store")
        await response.prepare(request)
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        except (ClientError, TimeoutError, OSError) as error:
            # The status has been sent. Closing the connection early shows the client that a part is missing.
            logs.warning("the answer broke off", path=request.path, reason=f"{type(error).__name__}: {error}")
            if request.transport is not None:
                request.transport.abort()
        return response


def _end_to_end(headers: CIMultiDictProxy[str], dropped: frozenset[str] = frozenset()) -> CIMultiDict[str]:
    """Without ``dropped`` and the headers of one connection, which the header Connection may name."""
    named = {name.strip().lower() for value in headers.getall("Connection", ()) for name in value.split(",")}
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP | dropped | named
    )
