"""Pub/Sub deliveries: from a CloudEvent to a handler, and from what the handler raises to ack or nack.

===============  =====================================================
raises           becomes
===============  =====================================================
nothing          200: acknowledged
``Malformed``    to the dead letters with a reason, then 200
``Transient``    503: given back; Pub/Sub delivers it again with backoff
anything else    500: a defect of ours; given back, in the end a dead letter
===============  =====================================================
"""

from __future__ import annotations

import base64
import binascii
import gc
import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.exceptions import ServiceUnavailable

from shared import failpoints, logs, topics
from shared.errors import Malformed, Transient
from shared.messages import Message

#: New objects until Python looks for cycles among them. An event makes thousands and leaves few in cycles:
#: looking as often as by default takes 7 % of what a fetcher needs.
gc.set_threshold(20_000, 10, 10)
#: Seconds that one thread computes until it has to let others in. It matters when two hundred wait: each
#: wakes that often to ask for its turn. At Python's own 5 ms a fetcher needs a sixth more of the processor.
sys.setswitchinterval(0.03)

M = TypeVar("M", bound=Message)
_NO_EVENT = "expected a CloudEvent, or a push of Pub/Sub with message.data; found neither"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a Pub/Sub message. ``attempt`` is None where Pub/Sub does not say.

    ``published``: when, as Pub/Sub says it; "" where it does not.
    """

    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    attempt: int | None
    published: str = ""


def delivery_of(event: Any) -> Delivery:
    """Decodes the CloudEvent of a Pub/Sub message.

    https://cloud.google.com/pubsub/docs/push#receive_push

    Raises:
        Malformed: it does not have that form.
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
    return Delivery(
        message_id=str(message.get("messageId") or event["id"]),
        data=decoded,
        attributes={str(name): str(value) for name, value in attributes.items()},
        attempt=attempt if isinstance(attempt, int) else None,
        published=str(message.get("publishTime") or ""),
    )


def receive(event: Any, kind: type[M], handle: Callable[[M, Delivery], None], *, source: str) -> None:
    """Decodes a message of ``kind`` and hands it to ``handle``; the table above says what becomes of it.

    ``source``: the function's name, for logs and dead letters.
    """
    receive_raw(event, lambda delivery: handle(kind.decode(delivery.data), delivery), source=source)


def receive_raw(event: Any, handle: Callable[[Delivery], None], *, source: str) -> None:
    """As :func:`receive`, for a handler that reads the message itself."""
    _receive(lambda: delivery_of(event), handle, source=source, event_id=str(event["id"]))


def receive_pulled(
    delivery: Delivery, kind: type[M], handle: Callable[[M, Delivery], None], *, source: str
) -> bool:
    """As :func:`receive`, of a message that was pulled: whether it is to be acknowledged."""

    def decoded(delivery: Delivery) -> None:
        handle(kind.decode(delivery.data), delivery)

    try:
        _receive(lambda: delivery, decoded, source=source, event_id=delivery.message_id)
    except Exception:
        # Logged where it was met; the worker goes on, and the message comes again.
        return False
    return True


def _receive(
    read: Callable[[], Delivery], handle: Callable[[Delivery], None], *, source: str, event_id: str
) -> None:
    message_id, published, data = event_id, "", b""
    with logs.context(function=source, message_id=message_id):
        try:
            try:
                delivery = read()
                message_id, data = delivery.message_id, delivery.data
                published = delivery.published
                with logs.context(attempt=delivery.attempt):
                    handle(delivery)
            except Malformed as error:
                _reject(data, source=source, message_id=message_id, published=published, reason=str(error))
            failpoints.answer("ack")
        except Transient as error:
            logs.warning(
                "given back to Pub/Sub", reason=str(error), detail=error.detail, cause=repr(error.__cause__)
            )
            raise ServiceUnavailable(str(error)) from error
        except Exception as error:
            logs.error("a defect: given back to Pub/Sub", error)
            raise


def _reject(data: bytes, *, source: str, message_id: str, published: str, reason: str) -> None:
    logs.warning("message rejected", reason=reason)
    topics.reject(data, source=source, message_id=message_id, published=published, reason=reason)


def unreadable(source: str) -> Callable[[Exception], tuple[str, int]]:
    """What a function answers to a request that is no CloudEvent at all; for the framework's status 400.

    Its own page repeats the request's headers, the caller's token among them. A push of Pub/Sub without
    `message.data` ends there: recorded and acknowledged, or it would come again for ever.
    """

    def answer(_: Exception) -> tuple[str, int]:
        from flask import request

        body = request.get_data()
        with logs.context(function=source):
            try:
                _reject(body, source=source, message_id=_id_in(body), published="", reason=_NO_EVENT)
            except Transient as error:
                logs.warning(
                    "given back to Pub/Sub",
                    reason=str(error),
                    detail=error.detail,
                    cause=repr(error.__cause__),
                )
                return "Not recorded yet.\n", 503
        return "Recorded as rejected.\n", 200

    return answer


def _id_in(body: bytes) -> str:
    """Of the message in a push; otherwise a name of its content, the same at each repetition."""
    try:
        found = json.loads(body)["message"]["messageId"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = None
    return str(found or f"content-{hashlib.sha256(body).hexdigest()}")
