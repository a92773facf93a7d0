"""One subscription of the Pub/Sub emulator: pulled from, acknowledged, given back.

Unary pull, and not the streaming pull of the client library: the emulator ignores the stream's flow
control and leases the whole backlog at once. With unary pull only what is about to be delivered is
leased, and the rest stays where it is.

The emulator's redelivery (0.8.20) has a trap. A lease that *runs out* on a later attempt, under a
retry policy, is put down for redelivery once more at each pull; the second entry of a message ends
the emulator's timer with a NullPointerException, and from then on nothing that is given back to this
subscription ever comes again. So no lease of ours may run out:

- they are extended while a message is held (``keep_leases``),
- what is given back gets a lease longer than any backoff first (``flush``),
- and ``recover`` takes back, before the first pull, what a killed predecessor still had leased. Its
  messages come again at once that way, and not when their leases end.
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

#: The longest lease there is, and no shorter than the longest backoff, in seconds.
LONGEST_LEASE = 600
#: Acknowledgements are collected for so long: one request for many.
_COLLECT_SECONDS = 0.02
#: Of a call that answers at once.
_CALL_SECONDS = 10.0
#: Of a pull, which waits for messages. The emulator answers a second earlier if there are none.
_PULL_SECONDS = 2.0
#: A pull that its caller did not live to see answered takes messages for so long, to nobody.
_ABANDONED_PULL_SECONDS = 1.1


class Subscriber:
    """``epoch`` counts the lives of the emulator: see :meth:`forget`.

    ``send_settled`` and ``keep_leases`` are to run all the time.
    """

    def __init__(self, client: SubscriberAsyncClient, subscription: Subscription, project: str) -> None:
        self._client = client
        self._description = subscription
        self.name = f"projects/{project}/subscriptions/{subscription.name}"
        self.topic = f"projects/{project}/topics/{subscription.topic}"
        self.epoch = 0
        #: An answer of the emulator, with messages perhaps, was too late: they are leased to nobody,
        #: and to be recovered as soon as none is held any more.
        self.unsure = False
        self._leases: dict[str, float] = {}
        self._acks: list[str] = []
        self._nacks: list[str] = []
        self._settled = asyncio.Event()
        # An extension that overtakes giving back would shorten the long lease that this needs.
        self._sending = asyncio.Lock()

    async def recover(self) -> None:
        """Everything that is not acknowledged can be pulled again, with its attempts counted anew.

        Raises:
            GoogleAPICallError: the emulator is not there, or does not know the subscription.
        """
        await asyncio.sleep(_ABANDONED_PULL_SECONDS)
        await self._set_retry_policy(None)  # also forgets whose backoff is running
        # To the beginning of time: what was acknowledged is gone, everything else is there.
        beginning = datetime(2000, 1, 1, tzinfo=UTC)
        await self._client.seek(
            types.SeekRequest(subscription=self.name, time=beginning), retry=None, timeout=_CALL_SECONDS
        )
        await self._set_retry_policy(
            types.RetryPolicy(
                minimum_backoff=duration_pb2.Duration(seconds=self._description.minimum_backoff_seconds),
                maximum_backoff=duration_pb2.Duration(seconds=self._description.maximum_backoff_seconds),
            )
        )
        self.unsure = False

    async def _set_retry_policy(self, policy: types.RetryPolicy | None) -> None:
        await self._client.update_subscription(
            types.UpdateSubscriptionRequest(
                subscription=types.Subscription(name=self.name, topic=self.topic, retry_policy=policy),
                update_mask=field_mask_pb2.FieldMask(paths=["retry_policy"]),
            ),
            retry=None,
            timeout=_CALL_SECONDS,
        )

    async def pull(self, most: int) -> Sequence[Any]:
        """Waits for messages; at most so many ``ReceivedMessage`` protobufs, none after a while.

        Raises:
            GoogleAPICallError: the emulator is not there, or does not know the subscription.
        """
        epoch = self.epoch
        try:
            response = await self._client.pull(
                types.PullRequest(subscription=self.name, max_messages=most),
                retry=None,
                timeout=_PULL_SECONDS,
            )
        except exceptions.DeadlineExceeded:
            self.unsure = True
            return ()
        if epoch != self.epoch:
            return ()
        # The protobuf itself: its wrapper costs more than all the rest of a delivery.
        received: Sequence[Any] = types.PullResponse.pb(response).received_messages
        until = time.monotonic() + self._description.ack_deadline_seconds
        for message in received:
            self._leases[message.ack_id] = until
        return received

    def forget(self) -> None:
        """The emulator ended, and all it knew with it.

        A new one numbers its leases from 0 again: an acknowledgement of an old message would hit a
        new one. So nothing of an earlier epoch is acknowledged or given back any more.
        """
        self.epoch += 1
        self._leases.clear()
        self._acks.clear()
        self._nacks.clear()

    def holds(self, ack_id: str, epoch: int) -> bool:
        return epoch == self.epoch and ack_id in self._leases

    def settle(self, ack_id: str, epoch: int, *, done: bool) -> None:
        """Acknowledged, or given back; told to the emulator by :meth:`send_settled`.

        What is given back Pub/Sub counts as an attempt, and delivers again after its backoff or hands
        to the dead letters.
        """
        if self.holds(ack_id, epoch):
            (self._acks if done else self._nacks).append(ack_id)
            self._settled.set()

    async def send_settled(self) -> None:
        """Sends what is settled, for ever.

        Raises:
            GoogleAPICallError: as :meth:`flush`.
        """
        while True:
            await self._settled.wait()
            await asyncio.sleep(_COLLECT_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Sends what is settled.

        Raises:
            GoogleAPICallError: it did not arrive, and is kept for the next call.
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
                # A lease that ends during the backoff is the trap described above.
                await self._set_deadline(nacks, LONGEST_LEASE)
                # Said once: it is the second entry of a message that the emulator stumbles over.
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
        """Extends, for ever, the leases of which less than half is left.

        Raises:
            GoogleAPICallError: they could not be extended this time.
        """
        lease = self._description.ack_deadline_seconds
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
