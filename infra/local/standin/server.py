"""Requests to answers: what path is asked, by which address, and what comes of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import web

from infra.local.standin import player, watch
from infra.local.standin.api_errors import ApiError
from infra.local.standin.catalog import Catalog
from infra.local.standin.data_api import PREFIX as DATA_API
from infra.local.standin.data_api import DataApi
from infra.local.standin.stats import Stats
from infra.local.standin.wire import Reply, html_reply, json_reply

_TIMEDTEXT = "/api/timedtext"
_PLAYER = "/youtubei/v1/player"


class NoTokens:
    def holder(self, token: str) -> tuple[str, frozenset[str]] | None:
        return None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `endpoint`: its class; `video_id`: empty where none is named."""

    request: web.BaseRequest
    endpoint: str
    video_id: str
    address: str
    body: bytes
    gzip: bool

    @property
    def origin(self) -> str:
        return f"http://{self.request.host}"


class StandIn:
    """The whole of it; :meth:`handle` is what an aiohttp server calls."""

    def __init__(self) -> None:
        self.catalog = Catalog()
        self.stats = Stats()
        self.data_api = DataApi(self.catalog, NoTokens())
        self.timedtext = player.TimedText()
        self.innertube_key = player.INNERTUBE_KEY

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = await self._read(request)
        self.stats.begin(asked.endpoint, asked.video_id, asked.address)
        status, sent = 0, 0
        try:
            reply = self.answer(asked)
            response = as_response(reply)
            await response.prepare(request)
            await response.write_eof()
            status, sent = reply.status, len(reply.gzipped or reply.plain)
            return response
        finally:
            self.stats.end(asked.endpoint, asked.video_id, asked.address, status, sent)

    async def _read(self, request: web.BaseRequest) -> Asked:
        path, body, video_id = request.path, b"", ""
        if path == _PLAYER:
            endpoint, body = "player", await request.read()
            video_id = _video_id_in(body)
        elif path in ("/watch", _TIMEDTEXT):
            endpoint, video_id = path.rpartition("/")[2], request.query.get("v", "")
        elif path.startswith(DATA_API):
            endpoint = "data_api"
        else:
            endpoint = "pages"
        gzip = "gzip" in request.headers.get("Accept-Encoding", "")
        return Asked(request, endpoint, video_id, request.remote or "", body, gzip)

    def answer(self, asked: Asked) -> Reply:
        """What a sound YouTube says."""
        request = asked.request
        if asked.endpoint == "timedtext":
            return self.timedtext.answer(self.catalog.video(asked.video_id), request.query, asked.gzip)
        if asked.endpoint == "player":
            if request.query.get("key") != self.innertube_key:
                return player.wrong_key()
            return player.answer(asked.video_id, self.catalog.video(asked.video_id), asked.gzip)
        if asked.endpoint == "watch":
            video = self.catalog.video(asked.video_id)
            return watch.page(
                asked.video_id, video, request.query.get("t", ""), self.innertube_key, asked.gzip
            )
        if asked.endpoint == "data_api":
            return self._data_api(asked)
        return html_reply("<h1>404</h1>", 404)

    def _data_api(self, asked: Asked) -> Reply:
        query: dict[str, list[str]] = {}
        for name, value in asked.request.query.items():
            query.setdefault(name, []).append(value)
        authorization = asked.request.headers.get("Authorization", "")
        try:
            answer = self.data_api.answer(asked.request.path, query, authorization, asked.origin)
        except ApiError as error:
            return json_reply(error.body(), asked.gzip, error.code, error.headers)
        return json_reply(answer, asked.gzip)


def _video_id_in(body: bytes) -> str:
    try:
        video_id = json.loads(body).get("videoId")
    except (ValueError, AttributeError):
        return ""
    return video_id if isinstance(video_id, str) else ""


def as_response(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, **reply.headers}
    if reply.gzipped is not None:
        headers["Content-Encoding"] = "gzip"
    body = reply.plain if reply.gzipped is None else reply.gzipped
    return web.Response(status=reply.status, body=body, headers=headers)


class Running:
    """Listens while it is entered. ``url``: ``http://HOST:PORT``."""

    def __init__(self, standin: StandIn, host: str = "127.0.0.1", port: int = 0) -> None:
        self._standin, self._host, self._asked_port = standin, host, port
        self._stack = AsyncExitStack()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self.port}"

    async def __aenter__(self) -> Self:
        self.port = await self._listen(self._standin.handle, self._asked_port)
        return self

    async def _listen(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], port: int
    ) -> int:
        runner = web.ServerRunner(
            web.Server(handler, handler_cancellation=True, access_log=None), shutdown_timeout=0.2
        )
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, self._host, port, backlog=1024).start()
        found: int = runner.addresses[0][1]
        return found

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


async def serve(standin: StandIn, host: str, port: int, stop: asyncio.Event) -> None:
    async with Running(standin, host, port) as running:
        print(f"stand-in YouTube: {running.url}", flush=True)
        await stop.wait()
