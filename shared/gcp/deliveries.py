"""Pub/Sub deliveries: from an event to a use case, and from what it raises to an ack or a nack.

===============  =====================================================================
raises           result
===============  =====================================================================
nothing          200: ack
``Malformed``    sent to the dead letters with a reason, then 200: ack
``Transient``    503: nack; Pub/Sub delivers the message again with backoff
anything else    500: a defect of ours; nack; in the end the message is a dead letter
===============  =====================================================================
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.exceptions import ServiceUnavailable

from shared import logs
from shared.errors import Malformed, Transient
from shared.gcp.failpoints import Failpoints
from shared.gcp.pubsub import Topics
from shared.messages import Message

M = TypeVar("M", bound=Message)
_NO_EVENT = "expected a CloudEvent, or a push of Pub/Sub with message.data; found neither"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a Pub/Sub message.

    ``attempt``: None where Pub/Sub does not say. ``published``: the time as Pub/Sub writes it; "" where it
    does not say.
    """

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    attempt: int | None
    published: str = ""

    @classmethod
    def from_event(cls, event: Any) -> Delivery:
        """Decodes the CloudEvent of a Pub/Sub message (https://cloud.google.com/pubsub/docs/push#receive_push).

        Raises:
            Malformed: the event does not have that form.
        """
        body = event.data
        if isinstance(body, bytes | str):
            try:
                body = json.loads(body)
            except (ValueError, RecursionError) as error:
                raise Malformed(f"expected a JSON body, found {body[:80]!r}") from error
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, dict):
            raise Malformed(f'expected a body with an object "message", found {str(body)[:80]!r}')
        data, attributes = message.get("data", ""), message.get("attributes") or {}
        try:
            decoded = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError, TypeError) as error:
            raise Malformed(f"expected base64 in message.data, found {str(data)[:80]!r}") from error
        if not isinstance(attributes, dict):
            raise Malformed(f"expected an object message.attributes, found {str(attributes)[:80]!r}")
        attempt = body.get("deliveryAttempt")
        return cls(
            message_id=str(message.get("messageId") or event["id"]),
            data=decoded,
            attributes={str(name): str(value) for name, value in attributes.items()},
            attempt=attempt if isinstance(attempt, int) else None,
            published=str(message.get("publishTime") or ""),
        )


class Deliveries:
    """Hands deliveries to the use case of a function, whose name is for logs and dead letters."""

    def __init__(self, function: str, topics: Topics, failpoints: Failpoints | None = None) -> None:
        self._function = function
        self._topics = topics
        self._failpoints = failpoints or Failpoints()

    def receive(self, event: Any, kind: type[M], handle: Callable[[M, Delivery], None]) -> None:
        """Decodes an event with a message of ``kind`` and calls ``handle``. The table above says the rest."""
        self.receive_raw(event, lambda delivery: handle(kind.decode(delivery.data), delivery))

    def receive_raw(self, event: Any, handle: Callable[[Delivery], None]) -> None:
        """As :meth:`receive`, for a use case that decodes the message itself."""
        self._receive(lambda: Delivery.from_event(event), handle, str(event["id"]))

    def receive_pulled(
        self, delivery: Delivery, kind: type[M], handle: Callable[[M, Delivery], None]
    ) -> bool:
        """As :meth:`receive`, for a message that was pulled. True: ack; False: nack."""
        try:
            self._receive(
                lambda: delivery,
                lambda delivery: handle(kind.decode(delivery.data), delivery),
                delivery.message_id,
            )
        except Exception:
            # Logged where it was raised. The worker goes on, and Pub/Sub delivers the message again.
            return False
        return True

    def answer_no_event(self, _: Exception) -> tuple[str, int]:
        """The answer to a request that is no CloudEvent. For the framework's handler of status 400.

        The framework's own page repeats the request's headers, and so the caller's token. A push of Pub/Sub
        without `message.data` ends here. It is recorded and acked, because it would come again for ever.
        """
        from flask import request

        body = request.get_data()
        with logs.context(function=self._function):
            try:
                self._reject(body, message_id=_id_in(body), published="", reason=_NO_EVENT)
            except Transient as error:
                logs.warning("nacked", error)
                return "Not recorded yet.\n", 503
        return "Recorded as rejected.\n", 200

    def _receive(
        self, read: Callable[[], Delivery], handle: Callable[[Delivery], None], event_id: str
    ) -> None:
        message_id, published, data = event_id, "", b""
        with logs.context(function=self._function, message_id=message_id):
            try:
                try:
                    delivery = read()
                    message_id, published, data = delivery.message_id, delivery.published, delivery.data
                    with logs.context(attempt=delivery.attempt):
                        handle(delivery)
                except Malformed as error:
                    self._reject(data, message_id=message_id, published=published, reason=str(error))
                self._failpoints.answer("ack")
            except Transient as error:
                logs.warning("nacked", error)
                raise ServiceUnavailable(str(error)) from error
            except Exception as error:
                logs.error("a defect: nacked", error)
                raise

    def _reject(self, data: bytes, *, message_id: str, published: str, reason: str) -> None:
        logs.warning("message rejected", reason=reason)
        self._topics.reject(
            data, source=self._function, message_id=message_id, published=published, reason=reason
        )


def _id_in(body: bytes) -> str:
    """The id of the message in a push, or a name derived from the content, the same at each repetition."""
    try:
        found = json.loads(body)["message"]["messageId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    return str(found or f"content-{hashlib.sha256(body).hexdigest()}")
