"""The stand-in inside a test's own process, on a thread of its own.

::

    with running() as standin:
        standin.control("faults", {"kind": "429", "videos": [video_id], "times": 2})
        …  # clients ask standin.url
        assert standin.stats()["endpoints"]["player"]["requests"] == 3
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

from infra.local.standin.listening import Running
from infra.local.standin.samples import LIBRARY
from infra.local.standin.server import StandIn

_START_SECONDS = 30
_CONTROL_SECONDS = 30


@dataclass(frozen=True, slots=True)
class InProcess:
    """``url``, ``proxy_url``: ``http://127.0.0.1:PORT``."""

    url: str
    proxy_url: str
    standin: StandIn

    def control(self, name: str, body: Any = None) -> Any:
        """Asks the control API: GET without a body, POST with one.

        Raises:
            urllib.error.HTTPError: it says no; the error's body says why.
        """
        return control(self.url, name, body)

    def stats(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.control("stats")
        return answer


def control(url: str, name: str, body: Any = None) -> Any:
    """The same for a stand-in that runs anywhere."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_control/{name}", data=data)  # noqa: S310 - our own server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=_CONTROL_SECONDS) as response:
        return json.loads(response.read())


@contextmanager
def running(library: Path = LIBRARY) -> Iterator[InProcess]:
    """A stand-in with its proxy, on free ports until the block is left.

    Raises:
        SampleError: a file of the library is not as expected.
        RuntimeError: it does not listen.
    """
    standin = StandIn(library)
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()
    found: list[Running] = []

    async def serve() -> None:
        async with Running(standin, proxy_port=0) as server:
            found.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="standin", daemon=True)
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise RuntimeError(f"expected the stand-in to listen within {_START_SECONDS} s")
        yield InProcess(found[0].url, found[0].proxy_url, standin)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
        loop.close()
