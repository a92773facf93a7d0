"""A comparison for this project: one Celery task a video, green threads, and Redis as the broker.

Each task has a session and uses the unmodified library as its documentation says: watch page, player,
captions. The transcript goes into Elasticsearch, and Redis counts the videos.
tests/benchmarks/bench_celery.py starts this in an environment of its own. It imports nothing of this project.
"""

from __future__ import annotations

import json
import os
from typing import Any

import redis
import requests
from celery import Celery
from requests.adapters import HTTPAdapter
from youtube_transcript_api import YouTubeTranscriptApi

YOUTUBE = "https://www.youtube.com"

app = Celery("peer", broker=os.environ["PEER_REDIS"])
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=1, task_acks_late=True)
# Each green thread acknowledges on a connection of its own.
app.conf.broker_transport_options = {"max_connections": 1000}
counters = redis.Redis.from_url(os.environ["PEER_REDIS"])
elasticsearch = requests.Session()
elasticsearch.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=200))


class ToFakeYouTube(HTTPAdapter):
    """Sends the requests for YouTube to the fake YouTube."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = str(request.url).replace(YOUTUBE, os.environ["PEER_YOUTUBE"], 1)
        return super().send(request, *args, **kwargs)


@app.task(autoretry_for=(Exception,), retry_backoff=True, max_retries=5)
def fetch(video_id: str) -> None:
    with requests.Session() as session:
        session.mount(YOUTUBE, ToFakeYouTube())
        transcripts = YouTubeTranscriptApi(http_client=session).list(video_id)
        transcript = next(iter(transcripts)).fetch()
    document = {"transcript": " ".join(snippet.text for snippet in transcript)}
    answer = elasticsearch.put(
        f"{os.environ['PEER_ELASTICSEARCH']}/peer/_doc/{video_id}",
        data=json.dumps(document),
        headers={"Content-Type": "application/json"},
        timeout=30,
    )
    answer.raise_for_status()
    counters.incr("done")
