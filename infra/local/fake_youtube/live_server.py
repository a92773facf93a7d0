"""A fake YouTube for tests, in a background thread of their own process.

::

    with live_server() as fake_youtube:
        fake_youtube.control("faults", {"kind": "429", "videos": [video_id], "times": 2})
        …  # clients send their requests to fake_youtube.url
        assert fake_youtube.stats()["endpoints"]["player"]["requests"] == 3
"""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.fake_youtube.library.samples import TALKS
from infra.local.fake_youtube.listener import Listener
from infra.local.fake_youtube.server import Server
from infra.local.fake_youtube.youtube import FakeYouTube

_START_SECONDS = 30
_CONTROL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class LiveServer:
    """``url``, ``proxy_url``: ``http://127.0.0.1:PORT``. ``youtube``: the server's state."""

    url: str
    proxy_url: str
    youtube: FakeYouTube

    def control(self, name: str, body: Any = None) -> Any:
        """Sends a request to the control API: GET without a body, POST with one.

        Raises:
            urllib.error.HTTPError: the request was wrong; the body of the error says why.
        """
        return control(self.url, name, body)

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.control("stats")
        return answer


def control(url: str, name: str, body: Any = None) -> Any:
    """:meth:`LiveServer.control` for a server in any process. `url`: ``http://HOST:PORT``."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_control/{name}", data=data)  # noqa: S310 - our own server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_CONTROL_SECONDS) as response:
        return json.loads(response.read())


@contextmanager
def live_server(library: Path = TALKS) -> Iterator[LiveServer]:
    """Listens with its forward proxy on free ports until the block ends.

    Raises:
        SampleError: a sample file is malformed.
        RuntimeError: the server does not start.
    """
    youtube = FakeYouTube(library)
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()
    listeners: list[Listener] = []

    async def listen() -> None:
        async with Listener(Server(youtube), proxy_port=0) as listener:
            listeners.append(listener)
            ready.set()
            await stop.wait()

    thread = threading.Thread(
        target=loop.run_until_complete, args=(listen(),), name="fake-youtube", daemon=True
    )
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise RuntimeError(f"expected the fake YouTube to listen within {_START_SECONDS} s")
        yield LiveServer(listeners[0].url, listeners[0].proxy_url, youtube)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
        loop.close()
