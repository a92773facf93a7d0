"""Checks whether a component answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp


class NotUsable(RuntimeError):
    """A component answers, but could not be prepared for use. The message says why."""


#: Returns whether the component answers. Raises nothing.
Probe = Callable[[], Awaitable[bool]]

_SECONDS = 5
_TIMEOUT = aiohttp.ClientTimeout(total=_SECONDS)


def any_answer(url: str) -> Probe:
    """Succeeds on any HTTP status below 500."""

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
                return response.status < 500
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def elasticsearch(url: str, api_key: str | None) -> Probe:
    """Succeeds when every index can be searched."""
    headers = {"Authorization": f"ApiKey {api_key}"} if api_key else {}
    health = f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s"

    async def probe() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers, trust_env=True) as session,
                session.get(health) as response,
            ):
                # Elastic's serverless offering has no cluster health and answers 410.
                return response.status in (200, 410)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def listening(address: str) -> Probe:
    """Succeeds when a server accepts a connection to HOST:PORT."""
    parts = urlsplit(f"//{address}")

    async def probe() -> bool:
        try:
            async with asyncio.timeout(_SECONDS):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return probe


async def wait_for(probe: Probe, seconds: float, interval: float = 0.1) -> bool:
    """Repeats the probe until it succeeds, for at most this many seconds. Returns whether it did."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await probe():
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(interval)
    return True
