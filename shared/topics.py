"""Publishing. What is not published raises.

Messages that several threads of a process publish at once travel together (shared.coalescing). The client
of Pub/Sub batches too, with a thread and a future a batch: a message alone takes twice as much then.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Any, Literal

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type

from shared import clients, config, failpoints
from shared.coalescing import Coalesced
from shared.errors import Transient
from shared.messages import Message

Topic = Literal["playlists", "videos", "transcripts", "dead-letters"]
#: Seconds until the requests of one call are given up; the sweep, or Pub/Sub's redelivery, tries again. Who
#: comes during another call waits for that first.
TIMEOUT = 8.0
#: Messages of one request; Pub/Sub takes a thousand.
_MOST = 500
#: Threads whose messages travel together (all of a process).
_CALLERS = 1000
#: Seconds between two requests; the second where no person waits.
_EVERY, _UNHURRIED = 0.05, 0.1

_RETRY = Retry(predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0)


def publish(topic: Topic, messages: Sequence[Message]) -> None:
    """Publishes all, and waits until Pub/Sub has them.

    Raises:
        Transient: at least one was not taken in time.
    """
    if messages:
        with failpoints.around(f"publish {topic}"):
            _publish_together((topic, [message.encode() for message in messages]))


def reject(data: bytes, *, source: str, message_id: str, published: str, reason: str) -> None:
    """Sends what nobody can read to the dead letters, with where it was met and why. Raises as above."""
    about = {"source": source, "message_id": message_id, "published": published, "reason": reason[:240]}
    with failpoints.around("publish dead-letters"):
        # By itself: it may be as large as a request can be.
        _send("dead-letters", [{"data": data, "attributes": about}], TIMEOUT)


def _publish_all(callers: Sequence[tuple[Topic, Sequence[bytes]]]) -> list[Transient | None]:
    of_topic: dict[Topic, list[dict[str, Any]]] = {}
    for topic, payloads in callers:
        of_topic.setdefault(topic, []).extend({"data": data} for data in payloads)
    failed: dict[Topic, Transient] = {}
    deadline = monotonic() + TIMEOUT
    for topic, messages in of_topic.items():
        try:
            for begin in range(0, len(messages), _MOST):
                _send(topic, messages[begin : begin + _MOST], deadline - monotonic())
        except Transient as error:
            # Some may be published. A message may always come twice.
            failed[topic] = error
    return [failed.get(topic) for topic, _ in callers]


_publish_together = Coalesced[tuple[Topic, Sequence[bytes]], None](
    _publish_all, most=_CALLERS, every=_EVERY, unhurried=_UNHURRIED
)


def _send(topic: Topic, messages: list[Any], seconds: float) -> None:
    from google.pubsub_v1 import PublisherClient

    if seconds <= 0:
        raise Transient(f"Pub/Sub did not take messages on {topic} within {TIMEOUT:g} s.")
    publisher = clients.publisher()
    path = publisher.topic_path(config.load().google_cloud_project, topic)
    try:
        # The request itself, which the client's own `publish` makes of a batch.
        PublisherClient.publish(
            publisher, topic=path, messages=messages, retry=_RETRY.with_timeout(seconds), timeout=seconds
        )
    except exceptions.GoogleAPIError as error:
        raise Transient(f"Pub/Sub did not take messages on {topic}: {error}.") from error
