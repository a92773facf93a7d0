"""Posts the messages of one subscription to one function, and acks or nacks them by its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
from google.api_core.exceptions import GoogleAPICallError

from infra.local.delivery.cloud_event import EventRequest, event_request
from infra.local.delivery.subscriber import Subscriber
from infra.local.persistence import note_change
from infra.pipeline import Subscription
from shared import logs

#: Seconds between two attempts to reach the emulator or the function. The pause doubles up to the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
#: Seconds between two looks whether the delivery is still paused.
PAUSED_SECONDS = 1.0


class Dispatcher:
    """Keeps at most ``local_concurrency`` requests to the function open.

    It holds up to half as many messages again, so that no slot waits for a pull and each pull gets many
    messages. ``changes`` is a file that is touched after each request. While one of the files ``paused``
    exists, nothing is pulled. What waits keeps its attempts.
    """

    def __init__(
        self,
        subscriber: Subscriber,
        subscription: Subscription,
        url: str,
        session: aiohttp.ClientSession,
        changes: Path | None = None,
        paused: Sequence[Path] = (),
        paused_seconds: float = PAUSED_SECONDS,
    ) -> None:
        self.name = subscription.name
        #: The emulator knows the subscription, and messages are pulled.
        self.connected = False
        #: Open requests.
        self.in_flight = 0
        self._subscriber = subscriber
        self._url = url
        self._session = session
        self._changes = changes
        self._paused, self._paused_seconds = paused, paused_seconds
        self._timeout = aiohttp.ClientTimeout(total=subscription.ack_deadline_seconds)
        self._slots = asyncio.Semaphore(subscription.local_concurrency)
        self._capacity = subscription.local_concurrency + (subscription.local_concurrency + 1) // 2
        self._smallest_pull = max(1, subscription.local_concurrency // 4)
        self._released = asyncio.Event()
        self._held: set[asyncio.Task[None]] = set()
        #: The pause while the function refuses connections; 0 when it does not.
        self._unreachable_pause = 0.0
        self._stopping = False

    async def run(self) -> None:
        """Runs until cancelled. The caller then calls :meth:`stop`."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._retry("acknowledging", self._subscriber.send_settled))
            group.create_task(self._retry("extending leases", self._subscriber.keep_leases))
            await self._retry("recovering", self._recover)
            await self._retry("pulling", self._pull)

    async def stop(self, grace_seconds: float) -> None:
        """Waits this long for answers, and nacks the other messages."""
        self._stopping = True
        if self._held:
            await asyncio.wait(self._held, timeout=grace_seconds)
        for task in list(self._held):
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)
        try:
            await self._subscriber.flush()
        except GoogleAPICallError as error:
            logs.warning("the last acks and nacks were not sent", function=self.name, reason=str(error))

    async def _retry(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Repeats the work with pauses while the emulator is unavailable or lacks the subscription."""
        pause, logged = _FIRST_PAUSE, ""
        while True:
            began = time.monotonic()
            try:
                return await work()
            except GoogleAPICallError as error:
                if time.monotonic() - began > _LONGEST_PAUSE:
                    pause, logged = _FIRST_PAUSE, ""
                if name in ("recovering", "pulling"):
                    self.connected = False
                # A series of equal errors is logged once.
                if logged != (logged := type(error).__name__):
                    logs.warning(
                        f"{name} failed; trying again", function=self.name, reason=f"{logged}: {error}"
                    )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _recover(self) -> None:
        await self._subscriber.recover()
        logs.info("connected", function=self.name, subscription=self._subscriber.name, url=self._url)

    async def _pull(self) -> None:
        self.connected = True
        while True:
            await self._until_held(self._capacity - self._smallest_pull)
            while any(file.exists() for file in self._paused):
                await asyncio.sleep(self._paused_seconds)
            if self._subscriber.lost_a_pull:
                await self._until_held(0)
                await self._subscriber.flush()
                await self._recover()
            count = self._capacity - len(self._held)
            if self._unreachable_pause:
                # The function refuses connections. One message tries again; the others keep their attempts.
                await asyncio.sleep(self._unreachable_pause)
                count = 1
            epoch = self._subscriber.epoch
            for received in await self._subscriber.pull(count):
                task = asyncio.create_task(self._deliver(received, epoch))
                self._held.add(task)
                task.add_done_callback(self._release)
            self.connected = True
            if self._subscriber.lost_a_pull:
                logs.warning(
                    "the answer to a pull came too late; recovering its messages", function=self.name
                )

    async def _until_held(self, count: int) -> None:
        """Waits until no more than this many messages are held."""
        while len(self._held) > count:
            self._released.clear()
            await self._released.wait()

    def _release(self, task: asyncio.Task[None]) -> None:
        self._held.discard(task)
        self._released.set()
        if not task.cancelled() and (error := task.exception()):
            logs.error("internal error in the delivery", error, function=self.name)

    async def _deliver(self, received: Any, epoch: int) -> None:
        ack_id: str = received.ack_id
        done = False
        try:
            async with self._slots:
                # A message of an emulator that has ended is dropped. After stop() no new request starts.
                if self._subscriber.holds(ack_id, epoch) and not self._stopping:
                    self.in_flight += 1
                    try:
                        done = await self._post(received)
                    finally:
                        self.in_flight -= 1
        finally:
            self._subscriber.settle(ack_id, epoch, done=done)

    async def _post(self, received: Any) -> bool:
        """Posts the message. Returns whether the function answered 2xx."""
        request = event_request(received, topic=self._subscriber.topic, subscription=self._subscriber.name)
        began = time.monotonic()
        status: int | None = None
        reason: str | None = "the delivery is stopping"
        try:
            status = await self._answer(request)
            reason = None
            self._unreachable_pause = 0.0
        except aiohttp.ClientConnectorError as error:
            reason = f"nobody answers: {error}"
            self._unreachable_pause = min(max(2 * self._unreachable_pause, _FIRST_PAUSE), _LONGEST_PAUSE)
        except TimeoutError:
            reason = f"no answer within {self._timeout.total:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            reason = f"no answer: {error or type(error).__name__}"
        finally:
            note_change(self._changes)
            done = status is not None and 200 <= status < 300
            fields: dict[str, Any] = {
                "function": self.name,
                "message_id": received.message.message_id,
                "attempt": received.delivery_attempt or None,
                "status": status,
                "ms": round(1000 * (time.monotonic() - began)),
            }
            if done:
                logs.info("delivered", **fields)
            else:
                logs.warning("nacked", reason=reason or "the function refused", **fields)
        return done

    async def _answer(self, request: EventRequest) -> int:
        async with self._session.post(
            self._url,
            data=request.body,
            headers=request.headers,
            timeout=self._timeout,
            allow_redirects=False,
        ) as response:
            await response.read()  # Reading to the end lets aiohttp reuse the connection.
            return response.status
