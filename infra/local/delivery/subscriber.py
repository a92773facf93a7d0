"""Pulls messages of one subscription from the Pub/Sub emulator, and sends acks and nacks.

It uses unary pulls, not the streaming pull of the client library: the emulator ignores the flow control of
the stream and leases the whole backlog at once. A unary pull leases only messages that are delivered soon.

The emulator (0.8.20) has a bug. When a lease runs out on the second attempt or later, under a retry policy,
each further pull schedules one more redelivery of the message. The second of them ends the emulator's timer
with a NullPointerException. From then on, nacked messages of this subscription are never redelivered. So no
lease may run out here:

- ``keep_leases`` extends the leases of messages that are held.
- ``flush`` gives a nacked message a lease longer than any backoff first.
- ``recover`` takes back the messages that a killed delivery had leased, before the first pull. This also
  redelivers them at once, and not when their leases end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.api_core import exceptions
from google.protobuf import duration_pb2, field_mask_pb2
from google.pubsub_v1 import SubscriberAsyncClient, types

from infra.pipeline import Subscription

#: The longest lease that Pub/Sub allows, in seconds. No backoff is longer.
LONGEST_LEASE = 600
#: Acks and nacks are collected for this long and sent in one request.
_COLLECT_SECONDS = 0.02
#: The timeout of a call that the emulator answers at once.
_CALL_SECONDS = 10.0
#: The timeout of a pull, which waits for messages. The emulator answers after one second if there are none.
_PULL_SECONDS = 2.0
#: For this long, the emulator still gives messages to a pull whose caller has been killed.
_ABANDONED_PULL_SECONDS = 1.1


class Subscriber:
    """One subscription. ``send_settled`` and ``keep_leases`` have to run all the time."""

    def __init__(self, client: SubscriberAsyncClient, subscription: Subscription, project: str) -> None:
        self._client = client
        self._subscription = subscription
        self.name = f"projects/{project}/subscriptions/{subscription.name}"
        self.topic = f"projects/{project}/topics/{subscription.topic}"
        #: Counts the emulators that have ended; see emulator_ended.
        self.epoch = 0
        #: The answer to a pull came too late, so its messages are leased but not held. The caller has to
        #: recover them as soon as it holds no messages.
        self.lost_a_pull = False
        #: The ack ids of the held messages, and when their leases end (time.monotonic).
        self._leases: dict[str, float] = {}
        self._acks: list[str] = []
        self._nacks: list[str] = []
        self._settled = asyncio.Event()
        # An extension that overtakes a nack would shorten the long lease that the nack needs.
        self._sending = asyncio.Lock()

    async def recover(self) -> None:
        """Makes all messages that are not acked available for pulls again. Their attempts start from 1.

        Raises:
            GoogleAPICallError: the emulator is unavailable, or lacks the subscription.
        """
        await asyncio.sleep(_ABANDONED_PULL_SECONDS)
        # Without a retry policy the emulator also forgets which messages wait for a backoff.
        await self._set_retry_policy(None)
        # Seeking to a time before all messages brings back those that are not acked, and no others.
        beginning = datetime(2000, 1, 1, tzinfo=UTC)
        await self._client.seek(
            types.SeekRequest(subscription=self.name, time=beginning), retry=None, timeout=_CALL_SECONDS
        )
        await self._set_retry_policy(
            types.RetryPolicy(
                minimum_backoff=duration_pb2.Duration(seconds=self._subscription.minimum_backoff_seconds),
                maximum_backoff=duration_pb2.Duration(seconds=self._subscription.maximum_backoff_seconds),
            )
        )
        self.lost_a_pull = False

    async def _set_retry_policy(self, policy: types.RetryPolicy | None) -> None:
        await self._client.update_subscription(
            types.UpdateSubscriptionRequest(
                subscription=types.Subscription(name=self.name, topic=self.topic, retry_policy=policy),
                update_mask=field_mask_pb2.FieldMask(paths=["retry_policy"]),
            ),
            retry=None,
            timeout=_CALL_SECONDS,
        )

    async def pull(self, count: int) -> Sequence[Any]:
        """Waits for messages. Returns at most ``count`` ``ReceivedMessage`` protobufs, or none after a while.

        Raises:
            GoogleAPICallError: the emulator is unavailable, or lacks the subscription.
        """
        epoch = self.epoch
        try:
            response = await self._client.pull(
                types.PullRequest(subscription=self.name, max_messages=count),
                retry=None,
                timeout=_PULL_SECONDS,
            )
        except exceptions.DeadlineExceeded:
            self.lost_a_pull = True
            return ()
        if epoch != self.epoch:
            return ()
        # The wrapper of the protobuf costs more time than the rest of a delivery.
        received: Sequence[Any] = types.PullResponse.pb(response).received_messages
        until = time.monotonic() + self._subscription.ack_deadline_seconds
        for message in received:
            self._leases[message.ack_id] = until
        return received

    def emulator_ended(self) -> None:
        """Forgets all leases, acks and nacks.

        A new emulator numbers its leases from 0 again, so an ack of an old message would ack a new one.
        Nothing of an earlier epoch is sent any more.
        """
        self.epoch += 1
        self._leases.clear()
        self._acks.clear()
        self._nacks.clear()

    def holds(self, ack_id: str, epoch: int) -> bool:
        return epoch == self.epoch and ack_id in self._leases

    def settle(self, ack_id: str, epoch: int, *, done: bool) -> None:
        """Acks the message if it is done, and nacks it otherwise. :meth:`send_settled` sends that.

        Pub/Sub counts a nack as an attempt. It redelivers the message after a backoff, or publishes it to the
        dead letters.
        """
        if self.holds(ack_id, epoch):
            (self._acks if done else self._nacks).append(ack_id)
            self._settled.set()

    async def send_settled(self) -> None:
        """Sends acks and nacks as they come. Never returns.

        Raises:
            GoogleAPICallError: as :meth:`flush`.
        """
        while True:
            await self._settled.wait()
            await asyncio.sleep(_COLLECT_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Sends the acks and nacks that are waiting.

        Raises:
            GoogleAPICallError: the emulator is unavailable. The next call sends them.
        """
        async with self._sending:
            epoch, acks, nacks = self.epoch, list(self._acks), list(self._nacks)
            if acks:
                await self._client.acknowledge(
                    types.AcknowledgeRequest(subscription=self.name, ack_ids=acks),
                    retry=None,
                    timeout=_CALL_SECONDS,
                )
                self._sent(self._acks, acks, epoch)
            if nacks:
                # A lease that ends during the backoff triggers the bug described above.
                await self._set_deadline(nacks, LONGEST_LEASE)
                # From here on the nack counts as sent: a second one would schedule a second redelivery.
                self._sent(self._nacks, nacks, epoch)
                await self._set_deadline(nacks, 0)
            if not self._acks and not self._nacks:
                self._settled.clear()

    def _sent(self, waiting: list[str], sent: list[str], epoch: int) -> None:
        if epoch == self.epoch:
            del waiting[: len(sent)]
            for ack_id in sent:
                self._leases.pop(ack_id, None)

    async def keep_leases(self) -> None:
        """Extends each lease of which less than half is left. Never returns.

        Raises:
            GoogleAPICallError: the emulator is unavailable.
        """
        lease = self._subscription.ack_deadline_seconds
        while True:
            await asyncio.sleep(lease / 4)
            async with self._sending:
                now = time.monotonic()
                ending = [ack_id for ack_id, until in self._leases.items() if until - now < lease / 2]
                if ending:
                    await self._set_deadline(ending, lease)
                    for ack_id in ending:
                        if ack_id in self._leases:
                            self._leases[ack_id] = now + lease

    async def _set_deadline(self, ack_ids: Sequence[str], seconds: int) -> None:
        await self._client.modify_ack_deadline(
            types.ModifyAckDeadlineRequest(
                subscription=self.name, ack_ids=ack_ids, ack_deadline_seconds=seconds
            ),
            retry=None,
            timeout=_CALL_SECONDS,
        )
