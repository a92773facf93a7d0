"""The SDK clients, built lazily and once a process (or once a thread, where an SDK asks for it).

Imports stand inside the functions: a function that never asks Elasticsearch never loads its client.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared import config

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch
    from google.cloud.firestore_v1 import Client
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient

    from shared.egress import Session

#: Seconds. Elasticsearch answers in milliseconds; a bulk of long transcripts in a second or two.
ELASTICSEARCH_TIMEOUT = 15.0
#: Seconds a YouTube Data API call may take.
DATA_API_TIMEOUT = 15.0
#: Seconds a request to Google's sign-in may take; a person waits for it.
GOOGLE_TIMEOUT = 8.0

_thread = threading.local()


@contextmanager
def _credentials_of(emulator: str) -> Iterator[None]:
    """Raises ConfigError where Google's libraries find nothing to identify themselves with."""
    from google.auth.exceptions import DefaultCredentialsError

    try:
        yield
    except DefaultCredentialsError as error:
        raise config.ConfigError(
            f"GOOGLE_APPLICATION_CREDENTIALS: expected credentials of Google Cloud, or {emulator} for a"
            " local run; found neither"
        ) from error


@lru_cache(maxsize=1)
def firestore() -> Client:
    """Thread-safe; every call made through it passes its own timeout (see shared.documents).

    Raises:
        ConfigError: there are no credentials.
    """
    from google.cloud.firestore_v1 import Client

    with _credentials_of("FIRESTORE_EMULATOR_HOST"):
        return Client(project=config.load().google_cloud_project)


@lru_cache(maxsize=1)
def publisher() -> PublisherClient:
    """Thread-safe; every call passes its own timeout (see shared.topics).

    Raises:
        ConfigError: there are no credentials.
    """
    from google.cloud.pubsub_v1 import PublisherClient
    from google.cloud.pubsub_v1.types import BatchSettings

    # Each batch costs two threads. At 10 ms, 80 messages a second took a quarter more processor time than 80
    # requests, at 50 ms a third less. But every publish waits that long, also where a person waits for it.
    batches = BatchSettings(max_latency=0.01, max_messages=500)
    with _credentials_of("PUBSUB_EMULATOR_HOST"):
        return PublisherClient(batches)


@lru_cache(maxsize=1)
def subscriber() -> SubscriberClient:
    """Thread-safe; for a worker that pulls (see shared.worker).

    Raises:
        ConfigError: there are no credentials.
    """
    from google.cloud.pubsub_v1 import SubscriberClient

    with _credentials_of("PUBSUB_EMULATOR_HOST"):
        return SubscriberClient()


@lru_cache(maxsize=1)
def elasticsearch() -> Elasticsearch:
    """Thread-safe. Raises ConfigError when ELASTICSEARCH_URL is not set."""
    from elasticsearch import Elasticsearch

    settings = config.load()
    if settings.elasticsearch_url is None:
        raise config.ConfigError(
            "ELASTICSEARCH_URL: expected the URL of the Elasticsearch server, found nothing"
        )
    return Elasticsearch(
        settings.elasticsearch_url,
        api_key=settings.elasticsearch_api_key,
        request_timeout=ELASTICSEARCH_TIMEOUT,
        # Pub/Sub is what tries again; a second layer of retries only multiplies the waiting.
        max_retries=0,
        connections_per_node=64,
    )


def youtube(*, keyed: bool = True) -> Any:
    """The Data API v3, one client a thread: its httplib2 transport is not thread-safe.

    ``keyed``: with our API key. Without, each request brings a user's access token: Google takes a key
    and a token together only if they belong to one project.
    """
    name = "youtube" if keyed else "youtube_of_users"
    client = getattr(_thread, name, None)
    if client is None:
        import httplib2
        from googleapiclient.discovery import build

        settings = config.load()
        if keyed and settings.youtube_api_key is None:
            raise config.ConfigError("YOUTUBE_API_KEY: expected a key of the YouTube Data API, found nothing")
        options = {"api_endpoint": settings.youtube_api_endpoint} if settings.youtube_api_endpoint else {}
        client = build(
            "youtube",
            "v3",
            http=httplib2.Http(timeout=DATA_API_TIMEOUT),
            developerKey=settings.youtube_api_key if keyed else None,
            client_options=options,
            cache_discovery=False,
        )
        setattr(_thread, name, client)
    return client


def google() -> Any:
    """Google's authorization server as an OAuth client, for one use: ``with clients.google() as client``.

    Raises:
        ConfigError: sign-in is not configured.
    """
    from authlib.integrations.requests_client import OAuth2Session

    settings = config.load().oauth
    return OAuth2Session(
        settings.client_id,
        settings.client_secret,
        token_endpoint_auth_method="client_secret_post",  # noqa: S106 the name of a method
        code_challenge_method="S256",
        default_timeout=GOOGLE_TIMEOUT,
    )


def youtube_session() -> Session:
    """The requests session that transcripts are fetched through, one a thread (see shared.egress)."""
    session: Session | None = getattr(_thread, "session", None)
    if session is None:
        from shared.egress import Session
        from shared.partial_answers import partial_answers

        settings = config.load()
        partial = partial_answers if settings.youtube_partial_answers else None
        session = _thread.session = Session(settings.youtube_base_url, partial)
    return session


def close_of_thread() -> None:
    """Closes the clients that are this thread's own, before it ends."""
    for client in vars(_thread).values():
        client.close()
    vars(_thread).clear()
