"""A comparison for this project's processor time: the same pipeline, written plainly.

One function fetches a video's transcript with the unmodified library, stores it in Firestore and publishes a
message. Another function indexes it into one field in Elasticsearch, and counts it exactly once. The
libraries are used as their documentation says. There are no users, no blocks, no retries and no listing.
tests/benchmarks/bench_plain.py starts the functions. They import nothing of this project.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import threading
import zlib
from typing import Any

import functions_framework
import requests
from cloudevents.http import CloudEvent
from elasticsearch import Elasticsearch
from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore, pubsub_v1
from requests.adapters import HTTPAdapter
from youtube_transcript_api import YouTubeTranscriptApi

YOUTUBE = "https://www.youtube.com"
PROJECT = os.environ["GOOGLE_CLOUD_PROJECT"]

database = firestore.Client(project=PROJECT)
publisher = pubsub_v1.PublisherClient()
elasticsearch = Elasticsearch(os.environ["ELASTICSEARCH_URL"], request_timeout=30)
threads = threading.local()


class ToFakeYouTube(HTTPAdapter):
    """Sends the requests for YouTube to the fake YouTube."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace(YOUTUBE, os.environ["PEER_YOUTUBE"], 1)
        return super().send(request, *args, **kwargs)


def library() -> YouTubeTranscriptApi:
    """One object for each thread, because threads must not share a session."""
    if not hasattr(threads, "library"):
        session = requests.Session()
        # A proxy of this machine cannot reach the fake YouTube.
        session.trust_env = False
        session.mount(YOUTUBE, ToFakeYouTube())
        threads.library = YouTubeTranscriptApi(http_client=session)
    found: YouTubeTranscriptApi = threads.library
    return found


def message_of(event: CloudEvent) -> dict[str, str]:
    found: dict[str, str] = json.loads(base64.b64decode(event.data["message"]["data"]))
    return found


@functions_framework.cloud_event
def plain_fetcher(event: CloudEvent) -> None:
    message = message_of(event)
    transcript = next(iter(library().list(message["video_id"]))).fetch()
    lines = [[snippet.start, snippet.duration, snippet.text] for snippet in transcript]
    packed = zlib.compress(json.dumps(lines).encode())
    database.document(f"plain_transcripts/{message['video_id']}").set({"lines": packed}, timeout=30)
    topic = publisher.topic_path(PROJECT, "plain-transcripts")
    publisher.publish(topic, json.dumps(message).encode()).result(timeout=30)


@functions_framework.cloud_event
def plain_indexer(event: CloudEvent) -> None:
    message = message_of(event)
    stored = database.document(f"plain_transcripts/{message['video_id']}").get(timeout=30)
    lines = json.loads(zlib.decompress(stored.get("lines")))
    texts = [text for _, _, text in lines]
    elasticsearch.index(
        index="plain",
        id=message["video_id"],
        document={
            "transcript": " ".join(texts),
            "starts": [start for start, _, _ in lines],
            "offsets": list(itertools.accumulate((len(text) + 1 for text in texts), initial=0))[:-1],
        },
    )
    run = database.document(f"plain_runs/{message['run']}")
    batch = database.batch()
    batch.create(run.collection("videos").document(message["video_id"]), {"state": "indexed"})
    batch.set(run, {"indexed": firestore.Increment(1)}, merge=True)
    # The document exists if the message was delivered before.
    with contextlib.suppress(AlreadyExists):
        batch.commit(timeout=30)
