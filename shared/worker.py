"""A worker that pulls: the fetcher's use case from another address, such as a laptop's at home.

Pulled in small bites, and never more than the address may ask at once: what a slow worker does not hold is
there for the others. While its address is blocked it pulls nothing; when a probe is due, one message.

Neither the leases nor giving back rely on what the emulator does differently: leases are kept up
while a message is held, and what is given back has a long lease first (infra/local/subscriber.py tells why).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

from google.api_core import exceptions

from shared import clients, clock, config, events, logs, routes
from shared.errors import Transient
from shared.events import Delivery
from shared.fetcher import fetch
from shared.messages import VideoMessage

#: Seconds: of a pull, which waits for messages; of any other call; of a lease, and between its extensions.
_PULL, _CALL, _LEASE, _EXTEND_EVERY = 5.0, 10.0, 120, 30.0
#: Seconds between two signs of life in the worker's egress document.
_BEAT = 10.0
#: Seconds that what is being fetched may still take when the worker is stopped.
_GRACE = 20.0
#: Longer than any backoff (infra/pipeline.yaml).
_LONGEST_LEASE = 600
#: Seconds until Pub/Sub is asked again after it did not answer.
_PAUSE = 2.0


class Worker:
    """``subscription``: its name, or a whole path of another project."""

    def __init__(self, subscription: str) -> None:
        settings = config.load()
        self._client: Any = clients.subscriber()
        self._path = (
            subscription
            if subscription.startswith("projects/")
            else self._client.subscription_path(settings.google_cloud_project, subscription)
        )
        self._capacity = settings.fetch_concurrency
        self._emulator = settings.pubsub_emulator_host is not None
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        for gate in routes.gates():
            gate.worker = True

    def stop(self) -> None:
        """Pulls nothing more; :meth:`run` returns when what it holds is done or given back."""
        self._stopping.set()

    def run(self) -> None:
        """Until :meth:`stop`.

        Raises:
            NotFound, PermissionDenied, FailedPrecondition: the subscription cannot be pulled from.
        """
        logs.info("worker started", subscription=self._path, egress=[each.name for each in routes.gates()])
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        pool = ThreadPoolExecutor(self._capacity)
        try:
            while not self._stopping.is_set():
                for received in self._pull(self._room()):
                    pool.submit(self._deliver, received)
        finally:
            self._stopping.set()
            deadline = monotonic() + _GRACE
            while self._holding() and monotonic() < deadline:
                sleep(0.1)
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                left = list(self._held)
            self._give_back(left)
            logs.info("worker stopped", given_back=len(left))

    def _holding(self) -> int:
        with self._lock:
            return len(self._held)

    def _room(self) -> int:
        """Messages to take now."""
        outlooks = [gate.outlook() for gate in routes.gates()]
        now = clock.now()
        allowed = sum(most for opens_at, most in outlooks if opens_at is None or opens_at <= now)
        return min(self._capacity, allowed) - self._holding()

    def _pull(self, most: int) -> Sequence[Any]:
        if most <= 0:
            self._stopping.wait(0.05)
            return ()
        try:
            response = self._client.pull(
                subscription=self._path, max_messages=most, timeout=_PULL, retry=None
            )
        except exceptions.DeadlineExceeded:
            return ()
        except (exceptions.ServerError, exceptions.TooManyRequests) as error:
            logs.warning("Pub/Sub cannot be pulled from", reason=str(error))
            self._stopping.wait(_PAUSE)
            return ()
        received: Sequence[Any] = response.received_messages
        with self._lock:
            self._held.update(each.ack_id for each in received)
        return received

    def _deliver(self, received: Any) -> None:
        message = received.message
        delivery = Delivery(
            message_id=message.message_id,
            data=message.data,
            attributes=dict(message.attributes),
            attempt=received.delivery_attempt or None,
            published=message.publish_time.isoformat(),
        )
        done = events.receive_pulled(delivery, VideoMessage, fetch, source="worker")
        with self._lock:
            held = received.ack_id in self._held
            self._held.discard(received.ack_id)
        if held and done:
            self._tell(
                lambda: self._client.acknowledge(
                    subscription=self._path, ack_ids=[received.ack_id], timeout=_CALL
                )
            )
        elif held:
            self._give_back([received.ack_id])

    def _give_back(self, ack_ids: list[str]) -> None:
        if ack_ids and self._emulator:
            self._set_lease(ack_ids, _LONGEST_LEASE)
        if ack_ids:
            self._set_lease(ack_ids, 0)

    def _set_lease(self, ack_ids: list[str], seconds: int) -> None:
        self._tell(
            lambda: self._client.modify_ack_deadline(
                subscription=self._path, ack_ids=ack_ids, ack_deadline_seconds=seconds, timeout=_CALL
            )
        )

    def _tell(self, call: Any) -> None:
        """What Pub/Sub does not hear it finds out by itself, when the lease ends: then it comes again."""
        try:
            call()
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            logs.warning("Pub/Sub was not told", reason=str(error))

    def _keep(self) -> None:
        """Leases, and the sign of life by which others know that this worker may take over."""
        extended = monotonic()
        while True:
            for gate in routes.gates():
                try:
                    gate.sync()
                except Transient as error:
                    logs.warning("no sign of life", reason=str(error))
            if monotonic() - extended >= _EXTEND_EVERY:
                extended = monotonic()
                with self._lock:
                    held = list(self._held)
                if held:
                    self._set_lease(held, _LEASE)
            if self._stopping.wait(_BEAT) and not self._holding():
                return
