"""Calls functions at fixed intervals, as Cloud Scheduler does in the cloud."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping

import aiohttp

from infra.pipeline import Pipeline, Schedule

#: The function that publishes lost messages again. It is told when the Pub/Sub emulator has started empty.
SWEEP = "sweep"
_TIMEOUT = aiohttp.ClientTimeout(total=540)


class Schedules:
    """Calls the functions of the pipeline's schedules. ``urls`` says where each function answers.

    ``usable()`` returns whether the database is. While it is not, nothing is called.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        urls: Mapping[str, str],
        say: Callable[[str], None],
        usable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._usable = usable
        #: Whether a call has changed something, but for those of the sweep: the next one does the same again.
        self.has_done = False
        self._schedules = [schedule for schedule in pipeline.schedules if schedule.function in urls]
        self._urls = urls
        self._say = say
        self._wake = asyncio.Event()
        #: How often messages were lost, and how many of these times the sweep has been told of.
        self._losses = 0
        self._losses_reported = 0

    def messages_were_lost(self) -> None:
        """Calls the sweep now, and tells it that an emulator has started empty."""
        self._losses += 1
        self._wake.set()

    async def run(self) -> None:
        await asyncio.gather(*(self._repeat(schedule) for schedule in self._schedules))

    async def _repeat(self, schedule: Schedule) -> None:
        failing = False
        while True:
            self._wake.clear()
            try:
                if self._usable():
                    await self._call(schedule)
                    if failing:
                        self._say(f"The scheduled call of {schedule.function} works again.")
                    failing = False
            except (aiohttp.ClientError, OSError, ValueError) as error:
                # A series of failures is printed once. The log of the function has all of them.
                if not failing:
                    self._say(
                        f"The scheduled call of {schedule.function} failed and will be retried:"
                        f" {str(error) or type(error).__name__}"
                    )
                failing = True
            pause = 1.0 if failing else float(schedule.local_every_seconds)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _call(self, schedule: Schedule) -> None:
        losses = self._losses
        lost = schedule.function == SWEEP and losses > self._losses_reported
        body = {"messages_lost": True} if lost else {}
        url = f"{self._urls[schedule.function]}/"
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session, session.post(url, json=body) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise OSError(f"expected status 2xx, found {answer.status}: {text[:200]}")
        # The answer counts what was done. All zeros need neither a save nor a line.
        has_done = re.search(r":\s*[1-9]", text) is not None
        self.has_done |= has_done and schedule.function != SWEEP
        if lost:
            self._losses_reported = losses
            if has_done:
                self._say(
                    f"An emulator started empty. Lost messages were published again: {text.strip():.200}"
                )
