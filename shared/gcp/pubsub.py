"""Pub/Sub: publishing messages, and pulling them for a worker. A message that is not published raises.

The messages of one call are sent as one request by the calling thread, and not through the batches of the
client library: these cost two threads a batch. At 80 calls a second they took a quarter more processor time
than 80 requests, and a single call took four times as long.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1 import PublisherClient as Requests
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.config import Config
from shared.errors import Transient
from shared.gcp import credentials
from shared.gcp.failpoints import Failpoints
from shared.lazy import Lazy
from shared.messages import Message

Topic = Literal["playlists", "videos", "transcripts", "passages", "dead-letters"]
#: Seconds for one request, retries included. After that the sweep, or Pub/Sub's redelivery, tries again.
TIMEOUT = 8.0
#: Messages of one request (https://cloud.google.com/pubsub/quotas).
MAXIMUM_MESSAGES = 1000
#: Bytes of the value of an attribute (https://cloud.google.com/pubsub/quotas#resource_limits).
_ATTRIBUTE = 1024
#: Bytes that a dead letter keeps of a message that cannot be read. Pub/Sub takes 10 MB, attributes included,
#: and a request to a function may be longer. What is too long would be refused, and tried again, for ever.
_KEPT = 100_000
_RETRY = Retry(predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0)
_NOT_QUEUED = "The work could not be queued."
#: Seconds of a pull, which waits for messages, and of any other call about a subscription.
_PULL_TIMEOUT, _CALL_TIMEOUT = 5.0, 10.0


class Topics:
    """Publishes messages. Thread-safe; one object a process. ``timeout``: see TIMEOUT."""

    def __init__(
        self, config: Config, failpoints: Failpoints | None = None, *, timeout: float = TIMEOUT
    ) -> None:
        self.timeout = timeout
        self._project = config.google_cloud_project
        self._failpoints = failpoints or Failpoints.from_config(config)
        self._client = Lazy(_publisher)

    def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        """Publishes all messages, and waits until Pub/Sub has taken them.

        Raises:
            Transient: at least one was not taken within TIMEOUT. Any of them may have been published.
        """
        if messages:
            with self._failpoints.around(f"publish {topic}"):
                self._publish(topic, [message.encode() for message in messages])

    def reject(self, data: bytes, *, source: str, message_id: str, published: str, reason: str) -> None:
        """Publishes a message that cannot be read to the dead letters, with where and why it was rejected.

        Raises:
            Transient: it was not taken within TIMEOUT.
        """
        with self._failpoints.around("publish dead-letters"):
            self._publish(
                "dead-letters",
                [data[:_KEPT]],
                source=source,
                message_id=message_id,
                published=published,
                reason=reason,
            )

    def ping(self, timeout: float) -> None:
        """Raises when Pub/Sub does not answer within ``timeout`` seconds."""
        client = self._client()
        client.get_topic(topic=client.topic_path(self._project, "playlists"), timeout=timeout, retry=None)

    def _publish(self, topic: Topic, payloads: Sequence[bytes], **attributes: str) -> None:
        client = self._client()
        path = client.topic_path(self._project, topic)
        values = {name: _cut(value) for name, value in attributes.items()}
        messages = [PubsubMessage(data=data, attributes=values) for data in payloads]
        for start in range(0, len(messages), MAXIMUM_MESSAGES):
            request = PublishRequest(topic=path, messages=messages[start : start + MAXIMUM_MESSAGES])
            try:
                # The method of the parent class. That of the client itself makes batches.
                Requests.publish(
                    client, request, retry=_RETRY.with_timeout(self.timeout), timeout=self.timeout
                )
            except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
                detail = f"Pub/Sub did not take messages on {topic}: {error}"
                raise Transient(_NOT_QUEUED, detail=detail) from error


def _cut(text: str) -> str:
    """As much of a text as an attribute holds. Without half a surrogate pair, which UTF-8 cannot encode."""
    return text.encode("utf-8", "replace")[:_ATTRIBUTE].decode("utf-8", "ignore")


def _publisher() -> PublisherClient:
    with credentials.required("PUBSUB_EMULATOR_HOST"):
        return PublisherClient()


class Subscription:
    """Pulls the messages of one subscription. Thread-safe.

    ``name``: of the subscription, or its whole path in another project.
    """

    def __init__(self, config: Config, name: str) -> None:
        with credentials.required("PUBSUB_EMULATOR_HOST"):
            self._client: Any = SubscriberClient()
        self.path = (
            name
            if name.startswith("projects/")
            else self._client.subscription_path(config.google_cloud_project, name)
        )

    def pull(self, most: int) -> Sequence[Any]:
        """At most so many ``ReceivedMessage``. Empty if none came for some seconds.

        Raises:
            Transient: Pub/Sub does not answer.
            NotFound, PermissionDenied, FailedPrecondition: the subscription cannot be pulled from.
        """
        try:
            answer = self._client.pull(
                subscription=self.path, max_messages=most, timeout=_PULL_TIMEOUT, retry=None
            )
        except exceptions.DeadlineExceeded:
            return ()
        except (exceptions.ServerError, exceptions.TooManyRequests) as error:
            raise Transient("Pub/Sub cannot be pulled from.", detail=str(error)) from error
        return list(answer.received_messages)

    def ack(self, ack_ids: Sequence[str]) -> None:
        """Raises Transient when Pub/Sub does not answer."""
        self._tell(self._client.acknowledge, ack_ids=list(ack_ids))

    def set_deadline(self, ack_ids: Sequence[str], seconds: int) -> None:
        """Extends the leases of messages, or with 0 seconds nacks them. Raises as :meth:`ack`."""
        self._tell(self._client.modify_ack_deadline, ack_ids=list(ack_ids), ack_deadline_seconds=seconds)

    def _tell(self, call: Any, **fields: Any) -> None:
        try:
            call(subscription=self.path, timeout=_CALL_TIMEOUT, **fields)
        except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
            raise Transient("Pub/Sub did not answer.", detail=str(error)) from error
