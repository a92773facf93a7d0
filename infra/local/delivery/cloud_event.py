"""Turns a Pub/Sub message into the HTTP request that Eventarc makes of it.

The request is a CloudEvent in binary mode. Its body has the form of a Pub/Sub push
(https://cloud.google.com/eventarc/docs/workflows/cloudevents,
https://cloud.google.com/pubsub/docs/push#receive_push).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

EVENT_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"


@dataclass(frozen=True, slots=True)
class EventRequest:
    headers: Mapping[str, str]
    body: bytes


def event_request(received: Any, *, topic: str, subscription: str) -> EventRequest:
    """Builds the request.

    ``received`` is a ``google.pubsub.v1.ReceivedMessage``: the protobuf itself, not its wrapper. ``topic``
    and ``subscription`` are full names: ``projects/P/topics/T`` and ``projects/P/subscriptions/S``.
    """
    message = received.message
    published = message.publish_time.ToJsonString()
    pushed: dict[str, Any] = {
        "attributes": dict(message.attributes),
        # Pub/Sub sends both spellings.
        "messageId": message.message_id,
        "message_id": message.message_id,
        "publishTime": published,
        "publish_time": published,
    }
    if message.data:
        pushed["data"] = base64.b64encode(message.data).decode("ascii")
    if message.ordering_key:
        pushed["orderingKey"] = message.ordering_key
    body: dict[str, Any] = {"message": pushed, "subscription": subscription}
    if received.delivery_attempt:  # 0 means that Pub/Sub does not count for this subscription.
        body["deliveryAttempt"] = received.delivery_attempt
    return EventRequest(
        headers={
            "ce-id": message.message_id,
            "ce-source": f"//pubsub.googleapis.com/{topic}",
            "ce-specversion": "1.0",
            "ce-type": EVENT_TYPE,
            "ce-time": published,
            "content-type": "application/json",
        },
        body=json.dumps(body).encode(),
    )
