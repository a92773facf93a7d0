"""The Elasticsearch server: its client, and the names of our indices."""

from __future__ import annotations

from elasticsearch import Elasticsearch

from shared.config import Config, ConfigError
from shared.errors import Transient
from shared.gcp.failpoints import Failpoints
from shared.lazy import Lazy

#: Seconds. Elasticsearch answers within milliseconds, and a bulk of long transcripts within a second or two.
TIMEOUT = 15.0


class SearchServer:
    """Thread-safe; one object a process.

    ``videos``: the alias of the index of videos. ``building``: the alias of the index that a rebuild fills.
    ``libraries``: the index of memberships. ``timeout``: see TIMEOUT.
    """

    def __init__(
        self, config: Config, failpoints: Failpoints | None = None, *, timeout: float = TIMEOUT
    ) -> None:
        self.failpoints = failpoints or Failpoints.from_config(config)
        self._prefix = config.elasticsearch_index_prefix
        self.videos = f"{self._prefix}-videos"
        self.building = f"{self.videos}-building"
        self.libraries = f"{self._prefix}-libraries"
        self._client = Lazy(lambda: _connect(config, timeout))

    def passages(self, model: str) -> str:
        """The alias of the index of passages. ``model``: the name of the one that made the vectors."""
        return f"{self._prefix}-passages-{model}"

    @property
    def client(self) -> Elasticsearch:
        """Raises ConfigError when ELASTICSEARCH_URL is not set."""
        return self._client()

    def ping(self, timeout: float) -> None:
        """Raises when the cluster does not answer in ``timeout`` seconds, or a part of an index is lost."""
        health = self.client.options(request_timeout=timeout).cluster.health()
        if health["status"] == "red":
            raise Transient("A part of the search index cannot be read.")


def _connect(config: Config, timeout: float) -> Elasticsearch:
    if config.elasticsearch_url is None:
        raise ConfigError("ELASTICSEARCH_URL: expected the URL of the Elasticsearch server, found nothing")
    return Elasticsearch(
        config.elasticsearch_url,
        api_key=config.elasticsearch_api_key,
        request_timeout=timeout,
        # Pub/Sub retries. A second layer of retries would only multiply the waiting.
        max_retries=0,
        connections_per_node=64,
    )
