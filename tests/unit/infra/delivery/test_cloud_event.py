"""infra/local/delivery/cloud_event.py: the request that Eventarc makes of a message."""

from __future__ import annotations

import base64
import json
from typing import Any

from google.pubsub_v1 import types

from infra.local.delivery.cloud_event import event_request

TOPIC, SUBSCRIPTION = "projects/p/topics/videos", "projects/p/subscriptions/fetcher"


def body_of(delivery_attempt: int = 1, **message: Any) -> dict[str, Any]:
    received = types.ReceivedMessage.pb(
        types.ReceivedMessage(message=message, delivery_attempt=delivery_attempt)
    )
    body: dict[str, Any] = json.loads(event_request(received, topic=TOPIC, subscription=SUBSCRIPTION).body)
    return body


def test_a_message_becomes_a_cloud_event() -> None:
    received = types.ReceivedMessage.pb(
        types.ReceivedMessage(
            message={
                "data": b"\x00\xff",
                "attributes": {"a": "é"},
                "message_id": "17",
                "publish_time": "2026-01-02T03:04:05.678Z",
                "ordering_key": "k",
            },
            delivery_attempt=3,
        )
    )
    request = event_request(received, topic=TOPIC, subscription=SUBSCRIPTION)
    assert request.headers == {
        "ce-id": "17",
        "ce-source": "//pubsub.googleapis.com/projects/p/topics/videos",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": "2026-01-02T03:04:05.678Z",
        "content-type": "application/json",
    }
    assert json.loads(request.body) == {
        "message": {
            "data": base64.b64encode(b"\x00\xff").decode(),
            "attributes": {"a": "é"},
            "messageId": "17",
            "message_id": "17",
            "publishTime": "2026-01-02T03:04:05.678Z",
            "publish_time": "2026-01-02T03:04:05.678Z",
            "orderingKey": "k",
        },
        "subscription": SUBSCRIPTION,
        "deliveryAttempt": 3,
    }


def test_a_message_without_data_has_no_data() -> None:
    assert "data" not in body_of(attributes={"a": "b"})["message"]


def test_an_attempt_that_is_not_counted_is_left_out() -> None:
    assert "deliveryAttempt" not in body_of(delivery_attempt=0, data=b"x")
