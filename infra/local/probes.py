"""Whether a component answers: one small HTTP request, asked again until it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import aiohttp


class NotUsable(RuntimeError):
    """A component answers, but cannot be prepared for use; the message says why."""


Probe = Callable[[], Awaitable[bool]]

#: Loopback: what takes longer is not ready.
_TIMEOUT = aiohttp.ClientTimeout(total=5)


def any_answer(url: str) -> Probe:
    """Satisfied by any HTTP answer that is not the server's own trouble."""

    async def probe() -> bool:
        try:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.get(url) as response:
                return response.status < 500
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def elasticsearch(url: str, api_key: str | None) -> Probe:
    """Satisfied when every index can be searched."""
    headers = {"Authorization": f"ApiKey {api_key}"} if api_key else {}
    health = f"{url}/_cluster/health?wait_for_status=yellow&timeout=1s"

    async def probe() -> bool:
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers, trust_env=True) as session,
                session.get(health) as response,
            ):
                # 410: Elastic's serverless offering has no such thing as cluster health, but answers.
                return response.status in (200, 410)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


def listening(address: str) -> Probe:
    """Satisfied by an accepted connection to HOST:PORT."""
    parts = urlsplit(f"//{address}")

    async def probe() -> bool:
        try:
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    return probe


async def wait_for(probe: Probe, seconds: float, interval: float = 0.1) -> bool:
    """Asks until the answer is yes, at most so long."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await probe():
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(interval)
    return True
