"""What Cloud Scheduler does: functions called again and again."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

import aiohttp

from infra.pipeline import Pipeline, Schedule

#: The function that publishes again what was lost; told when the Pub/Sub emulator began empty.
SWEEP = "sweep"


class Schedules:
    """Calls the functions of the pipeline's schedules.

    ``urls``: where each function answers.
    """

    def __init__(self, pipeline: Pipeline, urls: Mapping[str, str], log: Callable[[str], None]) -> None:
        self._schedules = [schedule for schedule in pipeline.schedules if schedule.function in urls]
        self._urls = urls
        self._log = log
        self._wake = asyncio.Event()
        #: How often messages were lost, and how often that was told.
        self._losses = 0
        self._losses_told = 0

    def messages_were_lost(self) -> None:
        """The emulators began anew: everything pending is to be published again, soon."""
        self._losses += 1
        self._wake.set()

    async def run(self) -> None:
        await asyncio.gather(*(self._repeat(schedule) for schedule in self._schedules))

    async def _repeat(self, schedule: Schedule) -> None:
        failing = False
        while True:
            self._wake.clear()
            try:
                await self._call(schedule)
                if failing:
                    self._log(f"schedule {schedule.name}: works again")
                failing = False
            except (aiohttp.ClientError, OSError, ValueError) as error:
                # Said once; the function's own log has every one.
                if not failing:
                    self._log(f"schedule {schedule.name}: {str(error) or type(error).__name__}")
                failing = True
            pause = 1.0 if failing else float(schedule.local_every_seconds)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _call(self, schedule: Schedule) -> None:
        losses = self._losses
        lost = schedule.function == SWEEP and losses > self._losses_told
        body = {"messages_lost": True} if lost else {}
        timeout = aiohttp.ClientTimeout(total=540)
        url = f"{self._urls[schedule.function]}/"
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise OSError(f"expected 2xx from {schedule.function}, found {answer.status}: {text[:200]}")
        if lost:
            self._losses_told = losses
            if re.search(r":\s*[1-9]", text):
                self._log(
                    f"{schedule.function}: what the emulator forgot is published again: {text.strip():.200}"
                )
