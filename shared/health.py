"""Whether the dependencies answer, asked of each at the same time and within a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared import clients, config
from shared.config import ConfigError
from shared.errors import Transient

#: Seconds one dependency gets.
TIMEOUT = 4.0


def _firestore() -> None:
    clients.firestore().document("health/probe").get(timeout=TIMEOUT, retry=None)


def _pubsub() -> None:
    publisher = clients.publisher()
    path = publisher.topic_path(config.load().google_cloud_project, "playlists")
    publisher.get_topic(topic=path, timeout=TIMEOUT, retry=None)


def _elasticsearch() -> None:
    health = clients.elasticsearch().options(request_timeout=TIMEOUT).cluster.health()
    if health["status"] == "red":
        raise Transient("Elasticsearch's cluster is red: some of the index cannot be read.")


DEPENDENCIES: dict[str, Callable[[], None]] = {
    "firestore": _firestore,
    "pubsub": _pubsub,
    "elasticsearch": _elasticsearch,
}


def check() -> dict[str, Any]:
    """``{"status": "ok" | "degraded", "dependencies": {name: "ok" | what is wrong}}``."""

    def ask(probe: Callable[[], None]) -> str:
        try:
            probe()
        except (ConfigError, Transient) as error:
            return str(error)
        except Exception as error:  # whatever an SDK raises is the finding
            return f"does not answer ({type(error).__name__})"
        return "ok"

    with ThreadPoolExecutor(len(DEPENDENCIES)) as pool:
        found = dict(zip(DEPENDENCIES, pool.map(ask, DEPENDENCIES.values()), strict=True))
    return {"status": "ok" if set(found.values()) == {"ok"} else "degraded", "dependencies": found}
