"""Publishing to Pub/Sub. A message that is not published raises.

The client library batches the messages of all threads (shared.clients sets the limits). Its ``publish`` only
puts a message into a batch and never blocks. A thread of the library sends the batch and resolves the futures
of all its messages; if the request fails, all of them with the same error.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import wait
from typing import Literal

from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

from shared import clients, config, failpoints
from shared.errors import Transient
from shared.messages import Message

Topic = Literal["playlists", "videos", "transcripts", "dead-letters"]
#: Seconds that one call of :func:`publish` waits at most, and that one request takes at most, its retries
#: included. After that the sweep, or Pub/Sub's redelivery, tries again.
TIMEOUT = 8.0

_RETRY = Retry(predicate=if_exception_type(ServiceUnavailable), initial=0.1, maximum=1.0, timeout=TIMEOUT)

#: What people read. ``detail``, for the log, names the topic and the cause.
_NOT_QUEUED = "The work could not be queued."


def publish(topic: Topic, messages: Sequence[Message]) -> None:
    """Publishes all messages, and waits until Pub/Sub has taken them.

    Raises:
        Transient: at least one was not taken within TIMEOUT; any of them may have been published.
    """
    if messages:
        with failpoints.around(f"publish {topic}"):
            _publish(topic, [message.encode() for message in messages])


def reject(data: bytes, *, source: str, message_id: str, published: str, reason: str) -> None:
    """Publishes a message that no function can read to the dead letters, with where and why it was rejected.

    Raises:
        Transient: it was not taken within TIMEOUT.
    """
    with failpoints.around("publish dead-letters"):
        _publish(
            "dead-letters",
            [data],
            # Pub/Sub takes 1,024 bytes a value; a character of UTF-8 has 4 at most.
            source=source,
            message_id=message_id,
            published=published,
            reason=reason[:240],
        )


def _publish(topic: Topic, payloads: Sequence[bytes], **attributes: str) -> None:
    from google.cloud.pubsub_v1.publisher.exceptions import MessageTooLargeError

    publisher = clients.publisher()
    path = publisher.topic_path(config.load().google_cloud_project, topic)
    try:
        futures = [
            publisher.publish(path, data, retry=_RETRY, timeout=TIMEOUT, **attributes) for data in payloads
        ]
    except MessageTooLargeError as too_large:
        raise Transient(_NOT_QUEUED, detail=f"too large for {topic}") from too_large
    # The bound is here and not only in the request: a future stays unresolved if the library's thread dies.
    done, late = wait(futures, timeout=TIMEOUT)
    if late:
        raise Transient(_NOT_QUEUED, detail=f"Pub/Sub did not take messages on {topic} within {TIMEOUT:g} s")
    for future in done:
        # Not result(): that would raise one error object in all threads whose messages were in the batch.
        if error := future.exception():
            detail = f"Pub/Sub did not take messages on {topic}: {error}"
            raise Transient(_NOT_QUEUED, detail=detail) from error
