"""A worker that pulls: the fetcher's use case from another address, for example a laptop's at home.

It pulls a few messages at a time, and never more than its address may ask for at once, so that messages it
does not hold are there for other workers. While its address is blocked it pulls nothing; when a probe is
due, it pulls one message.

It relies on nothing that the Pub/Sub emulator does differently: it keeps up the leases of messages that it
holds, and gives a long lease to a message before it nacks it (infra/local/delivery/subscriber.py says why).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep
from typing import Any

from shared import logs
from shared.config import Config
from shared.errors import Transient
from shared.gcp.deliveries import Deliveries, Delivery
from shared.gcp.pubsub import Subscription
from shared.messages import VideoMessage
from shared.pipeline.fetcher import Fetcher
from shared.youtube.egress.routing import Routing

#: Seconds of a lease, and between two extensions of it.
_LEASE, EXTEND_EVERY = 120, 30.0
#: Seconds between two signs of life in the document of the worker's address.
HEARTBEAT = 10.0
#: Seconds that running fetches may still take when the worker is stopped.
GRACE = 20.0
#: Longer than any backoff (infra/pipeline.yaml).
_LONGEST_LEASE = 600
#: Seconds until Pub/Sub is asked again after it did not answer.
PAUSE = 2.0


class Worker:
    """Pulls the messages of one subscription and fetches their videos.

    ``extend_every``, ``heartbeat``, ``grace``, ``pause``: see the constants of these names.
    """

    def __init__(
        self,
        config: Config,
        subscription: Subscription,
        fetcher: Fetcher,
        routing: Routing,
        deliveries: Deliveries,
        *,
        extend_every: float = EXTEND_EVERY,
        heartbeat: float = HEARTBEAT,
        grace: float = GRACE,
        pause: float = PAUSE,
    ) -> None:
        self._subscription = subscription
        self._fetcher = fetcher
        self._routing = routing
        self._deliveries = deliveries
        self._capacity = config.fetch_concurrency
        self._emulator = config.pubsub_emulator_host is not None
        self._extend_every = extend_every
        self._heartbeat = heartbeat
        self._grace = grace
        self._pause = pause
        self._held: set[str] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Pulls no more messages. :meth:`run` returns when all messages that it holds are acked or nacked."""
        self._stopping.set()

    def run(self) -> None:
        """Works until :meth:`stop`.

        Raises:
            NotFound, PermissionDenied, FailedPrecondition: the subscription cannot be pulled from.
        """
        logs.info("worker started", subscription=self._subscription.path, egress=self._routing.names)
        threading.Thread(target=self._keep_leases, daemon=True).start()
        pool = ThreadPoolExecutor(self._capacity)
        try:
            while not self._stopping.is_set():
                for received in self._pull(self._room()):
                    pool.submit(self._deliver, received)
        finally:
            self._stopping.set()
            deadline = monotonic() + self._grace
            while self._number_held() and monotonic() < deadline:
                sleep(0.1)
            pool.shutdown(wait=False, cancel_futures=True)
            with self._lock:
                left = list(self._held)
                # Their fetches may still end. Then they are acked no more, and their leases not extended.
                self._held.clear()
            self._nack(left)
            logs.info("worker stopped", nacked=len(left))

    def _number_held(self) -> int:
        with self._lock:
            return len(self._held)

    def _room(self) -> int:
        """The number of messages to pull now."""
        return min(self._capacity, self._routing.places()) - self._number_held()

    def _pull(self, most: int) -> Sequence[Any]:
        if most <= 0:
            self._stopping.wait(0.05)
            return ()
        try:
            received = self._subscription.pull(most)
        except Transient as error:
            logs.warning("Pub/Sub cannot be pulled from", error)
            self._stopping.wait(self._pause)
            return ()
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
        done = self._deliveries.receive_pulled(delivery, VideoMessage, self._fetcher.fetch)
        with self._lock:
            held = received.ack_id in self._held
            self._held.discard(received.ack_id)
        if held and done:
            _tell(self._subscription.ack, [received.ack_id])
        elif held:
            self._nack([received.ack_id])

    def _nack(self, ack_ids: list[str]) -> None:
        if not ack_ids:
            return
        if self._emulator:
            _tell(self._subscription.set_deadline, ack_ids, _LONGEST_LEASE)
        _tell(self._subscription.set_deadline, ack_ids, 0)

    def _keep_leases(self) -> None:
        """Extends leases, and gives the sign of life by which others know that this worker may take over."""
        extended = monotonic()
        while True:
            self._routing.sync()
            if monotonic() - extended >= self._extend_every:
                extended = monotonic()
                with self._lock:
                    held = list(self._held)
                if held:
                    _tell(self._subscription.set_deadline, held, _LEASE)
            if self._stopping.wait(self._heartbeat) and not self._number_held():
                return


def _tell(call: Callable[..., None], *arguments: object) -> None:
    """Makes a call that need not succeed: when the lease ends, Pub/Sub delivers the message again."""
    try:
        call(*arguments)
    except Transient as error:
        logs.warning("Pub/Sub was not told", error)
