"""infra/local/supervisor/schedules.py: regular calls of functions, and reports of lost messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from infra.local.supervisor.schedules import Schedules
from infra.pipeline import Pipeline, Schedule, load_pipeline
from shared.config import Config

PIPELINE = replace(
    load_pipeline(Config.from_env({})), schedules=(Schedule("sweep", "sweep", 60, local_every_seconds=1),)
)


class Sweep:
    """The function. Keeps the bodies of its requests, and answers with ``status`` and ``text``."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.status = 200
        self.text = "{}"

    async def answer(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        return web.Response(status=self.status, text=self.text)

    async def called(self, times: int) -> None:
        while len(self.bodies) < times:
            await asyncio.sleep(0.01)


def _run(
    scenario: Callable[[Sweep, Schedules], Awaitable[None]],
    pipeline: Pipeline = PIPELINE,
    usable: Callable[[], bool] = lambda: True,
) -> list[str]:
    """The lines that were printed during the scenario."""
    said: list[str] = []

    async def run() -> None:
        sweep = Sweep()
        application = web.Application()
        application.router.add_post("/", sweep.answer)
        async with TestServer(application) as server:
            url = f"http://{server.host}:{server.port}"
            urls = dict.fromkeys(("sweep", "refresh"), url)
            schedules = Schedules(pipeline, urls, said.append, usable)
            task = asyncio.create_task(schedules.run())
            try:
                async with asyncio.timeout(20):
                    await scenario(sweep, schedules)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    return said


def test_a_function_is_called_at_intervals() -> None:
    async def scenario(sweep: Sweep, schedules: Schedules) -> None:
        await sweep.called(2)
        assert sweep.bodies == [{}, {}]

    assert _run(scenario) == []


def test_the_sweep_hears_of_lost_messages_at_once_and_once() -> None:
    async def scenario(sweep: Sweep, schedules: Schedules) -> None:
        await sweep.called(1)
        sweep.text = '{"jobs": 1, "videos_published": 3}'
        schedules.messages_were_lost()
        await sweep.called(3)
        assert sweep.bodies == [{}, {"messages_lost": True}, {}]

    said = _run(scenario)
    assert len(said) == 1
    assert '"videos_published": 3' in said[0]


def test_lost_messages_are_reported_until_the_sweep_succeeds() -> None:
    async def scenario(sweep: Sweep, schedules: Schedules) -> None:
        schedules.messages_were_lost()
        sweep.status = 500
        await sweep.called(2)
        sweep.status = 200
        await sweep.called(4)
        assert sweep.bodies[:4] == [{"messages_lost": True}] * 3 + [{}]

    said = _run(scenario)
    assert len(said) == 2
    assert "sweep failed and will be retried: expected status 2xx, found 500" in said[0]
    assert said[1] == "The scheduled call of sweep works again."


def test_nothing_is_called_and_nothing_works_again_before_the_database_is_usable() -> None:
    usable, asked = [True], list[int]()

    def is_usable() -> bool:
        asked.append(1)
        return usable[0]

    async def scenario(sweep: Sweep, schedules: Schedules) -> None:
        sweep.status = 500
        await sweep.called(1)
        usable[0] = False
        before = len(asked)
        while len(asked) < before + 2:
            schedules.messages_were_lost()
            await asyncio.sleep(0.01)
        assert len(sweep.bodies) == 1

    said = _run(scenario, usable=is_usable)
    assert len(said) == 1
    assert "failed and will be retried" in said[0]


@pytest.mark.parametrize(
    ("name", "text", "is_saved"),
    [
        ("refresh", '{"sources": 2, "jobs": 0}', True),
        ("refresh", '{"sources": 0, "jobs": 0}', False),
        ("sweep", '{"jobs": 2}', False),
    ],
)
def test_what_a_call_has_done_is_saved_unless_the_next_one_does_it_again(
    name: str, text: str, is_saved: bool
) -> None:
    schedules = (Schedule(name, name, 60, local_every_seconds=1),)

    async def scenario(function: Sweep, running: Schedules) -> None:
        function.text = text
        await running._call(schedules[0])
        assert running.has_done == is_saved

    assert _run(scenario, replace(PIPELINE, schedules=schedules)) == []


def test_a_schedule_of_a_function_that_does_not_exist_is_ignored() -> None:
    other = replace(PIPELINE, schedules=(Schedule("other", "other", 60, local_every_seconds=1),))

    async def scenario(sweep: Sweep, schedules: Schedules) -> None:
        await asyncio.sleep(0)
        assert sweep.bodies == []

    assert _run(scenario, other) == []
