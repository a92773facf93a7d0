"""The one origin of a local run: the frontend at `/`, the functions under `/api/`.

    python -m infra.local.gateway --port PORT --frontend DIR --function NAME=URL ... [--pipeline FILE]
        [--changes FILE]

What a hosting with rewrites does in the cloud. A function is reached by the longest of its `routes`
in infra/pipeline.yaml that matches whole path segments; functions without routes are not reached.
FILE is touched after every request that may have changed something; the library is saved soon afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from infra.local.arguments import UsageError, function_urls
from infra.local.proxy import MAXIMUM_BODY, Proxy, Route, problem, routes_of
from infra.pipeline import PIPELINE_FILE, PipelineError, load_pipeline
from shared import config
from shared.config import Config, ConfigError

HEADERS_FILE = Path(__file__).parents[1] / "headers.json"

#: How the frontend's files are announced: the machine's own table of types is not asked.
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
#: What changes nothing. A sign-in is a GET as well, and stores a session.
_READING = ("GET", "HEAD")
_SIGN_IN = "/api/login"
#: Bytes of a request's first line.
MAXIMUM_URL = 65_536
#: What is going on when the end is asked for gets so many seconds.
_GRACE_SECONDS = 2.0

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def security_headers(settings: Config) -> dict[str, str]:
    """Those of infra/headers.json, with the origins that pictures and the player come from."""
    described = json.loads(HEADERS_FILE.read_text(encoding="utf-8"))
    parts = urlsplit(settings.youtube_embed_base_url)
    player = f"{parts.scheme}://{parts.netloc}"
    # The stand-in serves its own thumbnails.
    images = f"{described['images']} {player}"
    headers: dict[str, str] = described["headers"]
    return {
        name: value.replace("{images}", images).replace("{player}", player) for name, value in headers.items()
    }


class Frontend:
    """The files of one directory, and nothing else."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method not in _READING:
            answer = problem(405, "Method not allowed", f"{request.method} is not possible here; GET is.")
            answer.headers["Allow"] = "GET, HEAD"
            return answer
        file = self._file(request.path)
        if file is None:
            return problem(404, "Not found", f"There is nothing at {request.path[:200]}.")
        # Asked for again each time, and answered 304 by its ETag: no stale page after an update.
        headers = {"Cache-Control": "no-cache", "Content-Type": _TYPES[file.suffix]}
        return web.FileResponse(file, headers=headers)

    def _file(self, path: str) -> Path | None:
        try:
            file = (self._directory / (path.lstrip("/") or "index.html")).resolve()
            inside = file.relative_to(self._directory)
            if any(part.startswith(".") for part in inside.parts) or not file.is_file():
                return None
        except (ValueError, OSError):  # outside, or no name that a file could have
            return None
        return file if file.suffix in _TYPES else None


def application(
    routes: list[Route], frontend: Path, headers: Mapping[str, str], changes: Path | None = None
) -> web.Application:
    """``headers``: of every answer that does not say otherwise itself. ``changes``: see above."""
    proxy, files = Proxy(routes), Frontend(frontend)

    async def hand_on(request: web.Request) -> web.StreamResponse:
        try:
            return await proxy.handle(request)
        finally:
            if changes and (request.method not in _READING or request.path.startswith(_SIGN_IN)):
                # If this fails, the change is saved with the next one, or when the run stops.
                with contextlib.suppress(OSError):
                    changes.touch()

    async def secure(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in headers.items():
            # A function's answer may be stricter about itself.
            response.headers.setdefault(name, value)
        response.headers["Server"] = "yts"

    # A search may be pasted text: Google's front end takes URLs of this length, too.
    handler_args = {"auto_decompress": False, "max_line_size": MAXIMUM_URL}
    app = web.Application(client_max_size=MAXIMUM_BODY, handler_args=handler_args)
    app.router.add_route("*", "/api", hand_on)
    app.router.add_route("*", "/api/{tail:.*}", hand_on)
    app.router.add_route("*", "/{tail:.*}", files.handle)
    app.on_response_prepare.append(secure)
    app.cleanup_ctx.append(proxy.connected)
    return app


async def serve(app: web.Application, port: int) -> None:
    """Until SIGTERM or SIGINT.

    Raises:
        OSError: the port is taken.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        # "localhost" may be either, where there is an IPv6.
        with contextlib.suppress(OSError):
            await web.TCPSite(runner, "::1", port).start()
        await stopping.wait()
    finally:
        await runner.cleanup()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="gateway", description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--frontend", type=Path, required=True, metavar="DIR")
    parser.add_argument("--function", action="append", default=[], metavar="NAME=URL", dest="functions")
    parser.add_argument("--pipeline", type=Path, default=PIPELINE_FILE, metavar="FILE")
    parser.add_argument("--changes", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        settings = config.load()
        pipeline = load_pipeline(settings, options.pipeline)
        urls = function_urls(options.functions, {function.name for function in pipeline.functions})
        if not options.frontend.is_dir():
            raise UsageError(f"--frontend: expected a directory, found {str(options.frontend)!r}")
        routes = routes_of(pipeline, urls)
        app = application(routes, options.frontend, security_headers(settings), options.changes)
        asyncio.run(serve(app, options.port))
    except (ConfigError, PipelineError, UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
