"""Listening: the stand-in on one port and, if wanted, a forward proxy that leads to it on another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from infra.local.standin.server import StandIn, as_response
from infra.local.standin.wire import Reply

_GOOGLE = (".youtube.com", ".googleapis.com", ".google.com")
_LARGEST_BODY = 256_000_000
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """What a server makes of a message; definitions of whole libraries are taken, too."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_LARGEST_BODY)


class Running:
    """Listens while it is entered. ``url``, ``proxy_url``: ``http://HOST:PORT``."""

    def __init__(
        self, standin: StandIn, host: str = "127.0.0.1", port: int = 0, proxy_port: int | None = None
    ) -> None:
        """`port`, `proxy_port`: 0 for any free one; without `proxy_port` there is no proxy."""
        self._standin, self._host = standin, host
        self._asked_port, self._asked_proxy_port = port, proxy_port
        self._stack = AsyncExitStack()
        self.port = 0
        self.proxy_port: int | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    @property
    def proxy_url(self) -> str:
        return f"http://{self._host}:{self.proxy_port}"

    async def __aenter__(self) -> Self:
        self.port = await self._listen(self._standin.handle, self._asked_port)
        if self._asked_proxy_port is not None:
            self.proxy_port = await self._listen(self._proxied, self._asked_proxy_port)
        return self

    async def _listen(self, handler: _Handler, port: int) -> int:
        # A handler is cancelled when its client leaves: a hanging answer does not outlive it.
        server = web.Server(
            handler,
            request_factory=_request,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=75,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, self._host, port, backlog=1024).start()
        found: int = runner.addresses[0][1]
        return found

    async def _proxied(self, request: web.BaseRequest) -> web.StreamResponse:
        """A plain HTTP forward proxy: requests name whole addresses (RFC 9112, section 3.2.2)."""
        user = self._standin.proxy_users.name(request.headers.get("Proxy-Authorization", ""))
        if user is None:
            challenge = {"Proxy-Authenticate": 'Basic realm="stand-in"'}
            return as_response(Reply(407, "text/plain", b"Proxy authentication required.\n", None, challenge))
        host = request.url.host or ""
        if request.method == "CONNECT":
            text = f"expected a request for an http:// address, found CONNECT {request.raw_path}\n"
            return as_response(Reply(501, "text/plain", text.encode()))
        own = host in (self._host, "localhost") and request.url.port == self.port
        if not own and not host.endswith(_GOOGLE):
            text = f"expected an address of the stand-in or of YouTube, found {request.url}\n"
            return as_response(Reply(502, "text/plain", text.encode()))
        return await self._standin.handle(request, user)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def serve(standin: StandIn, host: str, port: int, proxy_port: int | None, stop: asyncio.Event) -> None:
    """Until `stop` is set."""
    async with Running(standin, host, port, proxy_port) as running:
        also = f", forward proxy: {running.proxy_url}" if running.proxy_port is not None else ""
        print(f"stand-in YouTube: {running.url}{also}", flush=True)
        await stop.wait()
