"""The stand-in inside a test's own process, on a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from infra.local.standin.server import Running, StandIn

_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class InProcess:
    """``url``: ``http://127.0.0.1:PORT``."""

    url: str
    standin: StandIn


@contextmanager
def running() -> Iterator[InProcess]:
    """A stand-in on a free port until the block is left.

    Raises:
        RuntimeError: it did not start within half a minute.
    """
    standin = StandIn()
    loop = asyncio.new_event_loop()
    stop, ready = asyncio.Event(), threading.Event()
    found: list[Running] = []

    async def serve() -> None:
        async with Running(standin) as server:
            found.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="standin", daemon=True)
    thread.start()
    try:
        if not ready.wait(_START_SECONDS):
            raise RuntimeError(f"expected the stand-in to listen within {_START_SECONDS} s")
        yield InProcess(found[0].url, standin)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_START_SECONDS)
        loop.close()
