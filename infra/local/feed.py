"""One subscription fed to one function: messages pulled, posted, and settled by the answer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from google.api_core.exceptions import GoogleAPICallError

from infra.local.cloud_event import EventRequest, event_request
from infra.local.subscriber import Subscriber
from infra.pipeline import Subscription

#: Between attempts to reach the emulator, or a function that nobody answers for, in seconds.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


def log(severity: str, message: str, **fields: object) -> None:
    """One structured line on stdout, in the form of the functions' own logs."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    entry = {"severity": severity, "time": now, "message": message, **fields}
    sys.stdout.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


class Feed:
    """Never more than ``local_concurrency`` requests are open to the function.

    Half as many messages again are held, so that no slot waits for a pull, and a pull is one
    request for many messages. ``changes``: a file that is touched after each request.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        description: Subscription,
        url: str,
        session: aiohttp.ClientSession,
        changes: Path | None = None,
    ) -> None:
        self.name = description.name
        #: The emulator knows the subscription, and messages are being waited for.
        self.connected = False
        self.in_flight = 0
        self._subscriber = subscriber
        self._url = url
        self._session = session
        self._changes = changes
        self._timeout = aiohttp.ClientTimeout(total=description.ack_deadline_seconds)
        self._slots = asyncio.Semaphore(description.local_concurrency)
        self._most_held = description.local_concurrency + (description.local_concurrency + 1) // 2
        self._worth_a_pull = max(1, description.local_concurrency // 4)
        self._room = asyncio.Event()
        self._held: set[asyncio.Task[None]] = set()
        self._unreachable_pause = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Until cancelled; whoever cancels it calls :meth:`stop` next."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat("settling", self._subscriber.send_settled))
            group.create_task(self._repeat("extending leases", self._subscriber.keep_leases))
            await self._repeat("recovering", self._recover)
            await self._repeat("pulling", self._pull)

    async def stop(self, grace_seconds: float) -> None:
        """What the function answers in that time is settled by it; the rest is given back."""
        self._stopping = True
        if self._held:
            await asyncio.wait(self._held, timeout=grace_seconds)
        for task in list(self._held):
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)
        try:
            await self._subscriber.flush()
        except GoogleAPICallError as error:
            log("WARNING", "answers could not be told", function=self.name, reason=str(error))

    async def _repeat(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        """Does it until it returns; while the emulator is away or empty, again and again."""
        pause, said = FIRST_PAUSE, ""
        while True:
            began = time.monotonic()
            try:
                return await work()
            except GoogleAPICallError as error:
                if time.monotonic() - began > LONGEST_PAUSE:
                    pause, said = FIRST_PAUSE, ""
                if what in ("recovering", "pulling"):
                    self.connected = False
                # Said once, and not at each attempt.
                if said != (said := type(error).__name__):
                    log("WARNING", f"{what}: the emulator does not", function=self.name, reason=str(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _recover(self) -> None:
        await self._subscriber.recover()
        log("INFO", "connected", function=self.name, subscription=self._subscriber.name, url=self._url)

    async def _pull(self) -> None:
        self.connected = True
        while True:
            await self._until_held(self._most_held - self._worth_a_pull)
            if self._subscriber.unsure:
                await self._until_held(0)
                await self._subscriber.flush()
                await self._recover()
            most = self._most_held - len(self._held)
            if self._unreachable_pause:
                # Nobody there: one message finds out, and the others keep their attempts.
                await asyncio.sleep(self._unreachable_pause)
                most = 1
            epoch = self._subscriber.epoch
            for received in await self._subscriber.pull(most):
                task = asyncio.create_task(self._deliver(received, epoch))
                self._held.add(task)
                task.add_done_callback(self._released)
            self.connected = True
            if self._subscriber.unsure:
                log("WARNING", "a pull was answered too late: what it took is taken back", function=self.name)

    async def _until_held(self, most: int) -> None:
        while len(self._held) > most:
            self._room.clear()
            await self._room.wait()

    def _released(self, task: asyncio.Task[None]) -> None:
        self._held.discard(task)
        self._room.set()
        if not task.cancelled() and (defect := task.exception()):
            log("ERROR", "a defect of the delivery", function=self.name, reason=repr(defect))

    async def _deliver(self, received: Any, epoch: int) -> None:
        ack_id: str = received.ack_id
        done = False
        try:
            async with self._slots:
                # Neither what an emulator sent that is no more, nor anything new at the end.
                if self._subscriber.holds(ack_id, epoch) and not self._stopping:
                    self.in_flight += 1
                    try:
                        done = await self._post(received)
                    finally:
                        self.in_flight -= 1
        finally:
            self._subscriber.settle(ack_id, epoch, done=done)

    async def _post(self, received: Any) -> bool:
        """Whether the function answered 2xx."""
        request = event_request(received, topic=self._subscriber.topic, subscription=self._subscriber.name)
        began = time.monotonic()
        status: int | None = None
        reason: str | None = "the delivery ends"
        try:
            status = await self._answer(request)
            reason = None
            self._unreachable_pause = 0.0
        except aiohttp.ClientConnectorError as error:
            reason = f"nobody answers: {error}"
            self._unreachable_pause = min(max(2 * self._unreachable_pause, FIRST_PAUSE), LONGEST_PAUSE)
        except TimeoutError:
            reason = f"no answer within {self._timeout.total:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            reason = f"no answer: {error or type(error).__name__}"
        finally:
            if self._changes:
                # If this fails, the change is saved with the next one, or when the run stops.
                with contextlib.suppress(OSError):
                    self._changes.touch()
            done = status is not None and 200 <= status < 300
            log(
                "INFO" if done else "WARNING",
                "delivered" if done else "given back",
                function=self.name,
                message_id=received.message.message_id,
                attempt=received.delivery_attempt or None,
                status=status,
                ms=round(1000 * (time.monotonic() - began)),
                **({"reason": reason} if reason else {}),
            )
        return done

    async def _answer(self, request: EventRequest) -> int:
        async with self._session.post(
            self._url,
            data=request.body,
            headers=request.headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            await response.read()  # to its end, so that the connection can be used again
            return response.status
