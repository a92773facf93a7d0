"""infra/local/delivery/dispatcher.py: when nothing is pulled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import aiohttp

from infra.local.delivery.delivery import FILLING
from infra.local.delivery.dispatcher import Dispatcher
from infra.local.delivery.subscriber import Subscriber
from infra.pipeline import load_pipeline
from shared.config import Config

PIPELINE = load_pipeline(Config())


class Empty:
    """A subscription without messages, which counts the pulls."""

    name = topic = "empty"
    epoch = pulls = 0
    lost_a_pull = False

    async def recover(self) -> None:
        pass

    async def send_settled(self) -> None:
        await asyncio.Event().wait()

    keep_leases = send_settled

    async def pull(self, count: int) -> list[Any]:
        self.pulls += 1
        await asyncio.sleep(0.001)
        return []


def test_nothing_is_pulled_while_the_library_is_full(tmp_path: Path) -> None:
    full, subscriber = tmp_path / "full", Empty()
    full.touch()

    async def until(condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)

    async def scenario() -> None:
        async with aiohttp.ClientSession() as session:
            subscription = PIPELINE.subscriptions[0]
            dispatcher = Dispatcher(
                cast(Subscriber, subscriber), subscription, "http://x", session, None, [full], 0.001
            )
            work = asyncio.create_task(dispatcher.run())
            await until(lambda: dispatcher.connected)
            assert subscriber.pulls == 0
            full.unlink()
            await until(lambda: subscriber.pulls)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    asyncio.run(scenario())


def test_what_fills_the_library_are_functions_that_get_messages() -> None:
    assert set(FILLING) < {each.name for each in PIPELINE.subscriptions}
