"""Serves the frontend at `/` and hands requests at `/api/` and `/mcp` to the functions.

In the cloud, a hosting with rewrites does this. A request goes to the function with the longest route in
infra/pipeline.yaml that matches whole path segments. Functions without routes cannot be reached.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from infra.local.gateway.frontend import READING_METHODS, Frontend
from infra.local.gateway.problems import answer_errors
from infra.local.gateway.proxy import MAXIMUM_BODY, Proxy, Route
from infra.local.persistence import note_change
from shared.errors import Unavailable
from shared.page import API_ROOTS

HEADERS_FILE = Path(__file__).parents[2] / "headers.json"

#: The longest first line of a request, in bytes. A search may be pasted text. Google's front end has the same
#: limit.
MAXIMUM_URL = 65_536
#: A sign-in is a GET request that stores a session.
_SIGN_IN = "/api/login"
#: How long open requests may go on after a SIGTERM, in seconds.
_GRACE_SECONDS = 2.0


def application(
    routes: list[Route],
    frontend: Path,
    headers: Mapping[str, str],
    changes: Path | None = None,
    loading: Path | None = None,
    restart_seconds: float = 3.0,
) -> web.Application:
    """The gateway.

    ``headers`` are added to every answer, unless a function sets them itself. ``changes`` is a file that is
    touched after each request that may have changed something. While the file ``loading`` exists, the
    functions get no requests; if it has text, that is why. ``restart_seconds``: see :class:`Proxy`.
    """
    proxy, files = Proxy(routes, restart_seconds), Frontend(frontend)

    async def hand_on(request: web.Request) -> web.StreamResponse:
        if loading and (reason := _reason(loading)) is not None:
            raise Unavailable(reason or "The library is being loaded. Try again in a moment.")
        try:
            return await proxy.handle(request)
        finally:
            if request.method not in READING_METHODS or request.path.startswith(_SIGN_IN):
                note_change(changes)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        response.headers["Server"] = "yts"

    handler_args = {"auto_decompress": False, "max_line_size": MAXIMUM_URL}
    app = web.Application(
        client_max_size=MAXIMUM_BODY, middlewares=[answer_errors], handler_args=handler_args
    )
    for root in API_ROOTS:
        app.router.add_route("*", root, hand_on)
        app.router.add_route("*", root + "/{tail:[\\s\\S]*}", hand_on)
    app.router.add_route("*", "/{tail:[\\s\\S]*}", files.handle)
    app.on_response_prepare.append(add_headers)
    app.cleanup_ctx.append(proxy.connected)
    return app


async def serve(app: web.Application, port: int) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        OSError: the port is in use.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        # "localhost" may mean ::1 on machines with IPv6.
        with contextlib.suppress(OSError):
            await web.TCPSite(runner, "::1", port).start()
        await stopping.wait()
    finally:
        await runner.cleanup()


def _reason(file: Path) -> str | None:
    """The text of the file. None if there is no file."""
    try:
        return file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
