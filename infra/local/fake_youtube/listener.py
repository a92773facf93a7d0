"""Listens: for requests on one port and, on request, as a forward proxy on another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from infra.local.fake_youtube.replies import Reply
from infra.local.fake_youtube.server import Server

#: The proxy accepts requests for these hosts and answers them itself.
_GOOGLE_HOSTS = (".youtube.com", ".googleapis.com", ".google.com")
#: Bytes. Definitions of many videos with all their lines are large.
_MAX_BODY = 256_000_000
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def _make_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=_MAX_BODY)


class Listener:
    """An asynchronous context manager that listens until it is left. ``url``, ``proxy_url``:
    ``http://HOST:PORT``."""

    def __init__(
        self, server: Server, host: str = "127.0.0.1", port: int = 0, proxy_port: int | None = None
    ) -> None:
        """`port`, `proxy_port`: 0 for a free port. `proxy_port`: None for no proxy."""
        self._server, self._host = server, host
        self._requested_port, self._requested_proxy_port = port, proxy_port
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
        self.port = await self._listen(self._server.handle, self._requested_port)
        if self._requested_proxy_port is not None:
            self.proxy_port = await self._listen(self._handle_proxied, self._requested_proxy_port)
        return self

    async def _listen(self, handler: _Handler, port: int) -> int:
        """Returns the port, which differs from `port` if that is 0."""
        # A handler is cancelled when its client leaves, so that a hanging answer ends then.
        server = web.Server(
            handler,
            request_factory=_make_request,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=75,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, self._host, port, backlog=1024).start()
        bound: int = runner.addresses[0][1]
        return bound

    async def _handle_proxied(self, request: web.BaseRequest) -> web.StreamResponse:
        """A forward proxy for plain HTTP, whose requests have absolute URLs (RFC 9112, section 3.2.2)."""
        user = self._server.youtube.proxy_users.user_of(request.headers.get("Proxy-Authorization", ""))
        if user is None:
            challenge = {"Proxy-Authenticate": 'Basic realm="fake YouTube"'}
            body = b"Proxy authentication required.\n"
            return Reply(407, "text/plain", body, None, challenge).to_response()
        if request.method == "CONNECT":
            text = f"expected a request for an http:// URL; found CONNECT {request.raw_path}\n"
            return Reply(501, "text/plain", text.encode()).to_response()
        host = request.url.host or ""
        is_self = host in (self._host, "localhost") and request.url.port == self.port
        if not is_self and not host.endswith(_GOOGLE_HOSTS):
            text = f"expected a URL of YouTube or of this server; found {request.url}\n"
            return Reply(502, "text/plain", text.encode()).to_response()
        return await self._server.handle(request, user)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def serve(server: Server, host: str, port: int, proxy_port: int | None, stop: asyncio.Event) -> None:
    """Listens and prints the addresses. Returns when `stop` is set."""
    async with Listener(server, host, port, proxy_port) as listener:
        proxy = f", forward proxy: {listener.proxy_url}" if listener.proxy_port is not None else ""
        print(f"fake YouTube: {listener.url}{proxy}", flush=True)
        await stop.wait()
