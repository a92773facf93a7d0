"""Pub/Sub deliveries: from a push to a use case, and from what it raises to an ack or a nack.

A function that Pub/Sub feeds is an HTTP function. functions-framework can make CloudEvents of pushes, but
then the delivery attempt is lost, and a push without data is refused with a page of the request's headers.

===============  =====================================================================
raises           result
===============  =====================================================================
nothing          200: ack
``Malformed``    sent to the dead letters with a reason, then 200: ack
``Transient``    503: nack; Pub/Sub delivers the message again with backoff
``Undeployed``   500: an error for the operator; nack
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
from functools import partial
from typing import Any, TypeVar

from flask import Request

from shared import logs
from shared.config import Config
from shared.errors import Malformed, Transient, Undeployed
from shared.gcp.failpoints import Failpoints
from shared.gcp.pubsub import Topics
from shared.messages import Message

M = TypeVar("M", bound=Message)
#: The text and the status of an answer. Pub/Sub reads the status only.
Answer = tuple[str, int, dict[str, str]]
_TEXTS = {200: "Done.\n", 405: "Expected POST.\n", 500: "Internal error.\n", 503: "Not done yet.\n"}


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
    def from_push(cls, content: bytes, message_id: str) -> Delivery:
        """Decodes the body of a push (https://cloud.google.com/pubsub/docs/push#receive_push).

        Eventarc's CloudEvents have the same body, and those in structured mode have it as ``data``.
        ``message_id``: the name of a message that has no id.

        Raises:
            Malformed: the body does not have that form.
        """
        body = _body_in(content)
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
            message_id=message_id,
            data=decoded,
            attributes={str(name): str(value) for name, value in attributes.items()},
            attempt=attempt if isinstance(attempt, int) else None,
            published=str(message.get("publishTime") or ""),
        )


def _body_in(content: bytes) -> Any:
    """The body of a push, or of an event in structured mode. Raises Malformed."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected a JSON body, found {content[:80]!r}") from error
    if isinstance(body, dict) and "message" not in body and isinstance(body.get("data"), dict):
        return body["data"]
    return body


class Deliveries:
    """Hands deliveries to the use case of a function, whose name is for logs and dead letters."""

    def __init__(self, function: str, topics: Topics, config: Config) -> None:
        self._function = function
        self._topics = topics
        self._failpoints = Failpoints.from_config(config)
        self._project = config.google_cloud_project

    def receive(self, request: Request, kind: type[M], handle: Callable[[M, Delivery], None]) -> Answer:
        """Decodes a push with a message of ``kind`` and calls ``handle``. The table above says the rest."""
        return self.receive_raw(request, lambda delivery: handle(kind.decode(delivery.data), delivery))

    def receive_raw(self, request: Request, handle: Callable[[Delivery], None]) -> Answer:
        """As :meth:`receive`, for a use case that decodes the message itself."""
        if request.method != "POST":
            return _TEXTS[405], 405, {"Allow": "POST"}
        content = request.get_data()
        message_id = _id_in(content, request.headers.get("ce-id"))
        try:
            delivery = Delivery.from_push(content, message_id)
        except Malformed as error:
            delivery, handle = Delivery(message_id, content, {}, None), partial(_refuse, error)
        with logs.context(**logs.trace_of(request.headers, self._project)):
            status = self._handle(delivery, handle)
        return _TEXTS[status], status, {}

    def receive_pulled(
        self, delivery: Delivery, kind: type[M], handle: Callable[[M, Delivery], None]
    ) -> bool:
        """As :meth:`receive`, for a message that was pulled. True: ack; False: nack."""
        return self._handle(delivery, lambda each: handle(kind.decode(each.data), each)) == 200

    def _handle(self, delivery: Delivery, handle: Callable[[Delivery], None]) -> int:
        """The status of the answer, as the table above says."""
        fields = {"function": self._function, "message_id": delivery.message_id, "attempt": delivery.attempt}
        with logs.context(**fields):
            try:
                try:
                    handle(delivery)
                except Malformed as error:
                    logs.warning("message rejected", reason=str(error))
                    self._topics.reject(
                        delivery.data,
                        source=self._function,
                        message_id=delivery.message_id,
                        published=delivery.published,
                        reason=str(error),
                    )
                self._failpoints.answer("ack")
            except Transient as error:
                logs.warning("nacked", error)
                return 503
            except Undeployed as error:
                logs.error("misconfigured: nacked", error)
                return 500
            except Exception as error:
                logs.error("a defect: nacked", error)
                return 500
        return 200


def _refuse(error: Malformed, _: Delivery) -> None:
    raise error


def _id_in(content: bytes, event_id: str | None) -> str:
    """The id of the message in a push, of the event, or a name that follows from the content.

    The name is the same at each repetition.
    """
    try:
        found = json.loads(content)
        found = found.get("message", {}).get("messageId") or found.get("data", {})["message"]["messageId"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = event_id
    return str(found or f"content-{hashlib.sha256(content).hexdigest()}")
