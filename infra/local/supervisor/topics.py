"""Creates the pipeline's topics and subscriptions in the Pub/Sub emulator.

The emulator forgets them when it ends, so they are created after each start. It has the REST API of the
service (https://cloud.google.com/pubsub/docs/reference/rest).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from infra.deployment import cloud_name
from infra.local.supervisor.probes import NotUsable
from infra.pipeline import Pipeline, Subscription

_TIMEOUT = aiohttp.ClientTimeout(total=20)


async def create(
    pipeline: Pipeline, emulator: str, project: str, push_to: Mapping[str, str] | None = None
) -> None:
    """Creates the topics and subscriptions that do not exist yet. ``emulator`` is HOST:PORT.

    ``push_to``: the URL of each function. The emulator then pushes to it, and the subscriptions have the
    names and the endpoints' paths of the cloud. Without it, the delivery pulls.

    Raises:
        NotUsable: the emulator refused, or did not answer.
    """
    base = f"http://{emulator}/v1/projects/{project}"
    try:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            for topic in pipeline.topics:
                await _put(session, f"{base}/topics/{topic}", {})
            for subscription in pipeline.subscriptions:
                body = _body(subscription, pipeline.dead_letter_topic, project)
                name = subscription.name
                if push_to is not None:
                    name = cloud_name(name)
                    endpoint = f"{push_to[subscription.name]}/{body['topic']}"
                    body["pushConfig"] = {"pushEndpoint": endpoint}
                await _put(session, f"{base}/subscriptions/{name}", body)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise NotUsable(f"creating topics at {base} failed: {error or type(error).__name__}") from error


def _body(subscription: Subscription, dead_letter_topic: str, project: str) -> dict[str, Any]:
    body: dict[str, Any] = {
        "topic": f"projects/{project}/topics/{subscription.topic}",
        "ackDeadlineSeconds": subscription.ack_deadline_seconds,
        "retryPolicy": {
            "minimumBackoff": f"{subscription.minimum_backoff_seconds}s",
            "maximumBackoff": f"{subscription.maximum_backoff_seconds}s",
        },
        "expirationPolicy": {},
    }
    if subscription.max_delivery_attempts is not None:
        body["deadLetterPolicy"] = {
            "deadLetterTopic": f"projects/{project}/topics/{dead_letter_topic}",
            "maxDeliveryAttempts": subscription.max_delivery_attempts,
        }
    return body


async def _put(session: aiohttp.ClientSession, url: str, body: dict[str, Any]) -> None:
    async with session.put(url, json=body) as response:
        if response.status not in (200, 409):  # 409: it exists already
            raise NotUsable(
                f"PUT {url}: expected status 200 or 409, found {response.status}: {await response.text()}"
            )
