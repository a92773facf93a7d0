"""Publishing. No future is left unawaited: what is not published raises."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from typing import Literal

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type

from shared import clients, config, failpoints
from shared.errors import Transient
from shared.messages import Message

Topic = Literal["playlists", "videos", "transcripts", "dead-letters"]
#: Seconds until publishing is given up; the sweep, or Pub/Sub's redelivery, tries again.
TIMEOUT = 8.0

_RETRY = Retry(
    predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0, timeout=TIMEOUT
)


def publish(topic: Topic, messages: Sequence[Message]) -> None:
    """Publishes all, and waits until Pub/Sub has them.

    Raises:
        Transient: at least one was not taken in time.
    """
    with failpoints.around(f"publish {topic}"):
        _publish(topic, [(message.encode(), {}) for message in messages])


def reject(data: bytes, *, source: str, message_id: str, published: str, reason: str) -> None:
    """Sends what nobody can read to the dead letters, with where it was met and why."""
    about = {"source": source, "message_id": message_id, "published": published, "reason": reason[:240]}
    with failpoints.around("publish dead-letters"):
        _publish("dead-letters", [(data, about)])


def _publish(topic: Topic, payloads: Sequence[tuple[bytes, dict[str, str]]]) -> None:
    publisher = clients.publisher()
    path = publisher.topic_path(config.load().google_cloud_project, topic)
    futures: list[Future[str]] = []
    try:
        for data, attributes in payloads:
            futures.append(publisher.publish(path, data, retry=_RETRY, timeout=TIMEOUT, **attributes))
        _, waiting = wait(futures, timeout=TIMEOUT + 1)
        for future in futures:
            if future in waiting:
                raise Transient(f"Pub/Sub did not take a message on {topic} within {TIMEOUT:g} s.")
            future.result(timeout=0)
    except exceptions.GoogleAPIError as error:
        raise Transient(f"Pub/Sub did not take a message on {topic}: {error}.") from error
