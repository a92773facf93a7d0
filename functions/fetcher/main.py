"""Fetches a video's transcript: topic videos."""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import startup
from shared.gcp.deliveries import Answer, Deliveries
from shared.gcp.firestore import BATCH_INTERVAL, Firestore
from shared.gcp.pubsub import Topics
from shared.messages import VideoMessage
from shared.pipeline.fetcher import Fetcher
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.youtube.captions import Captions
from shared.youtube.egress.routing import Routing

config = startup.begin("ELASTICSEARCH_URL")
db, topics = Firestore(config, batch_interval=BATCH_INTERVAL), Topics(config)
index = SearchIndex(SearchServer(config))
use_case = Fetcher(db, topics, index, Captions(config), Routing(config, db), passages=config.by_meaning)
deliveries = Deliveries("fetcher", topics, config)


@functions_framework.http
def fetcher(request: Request) -> Answer:
    return deliveries.receive(request, VideoMessage, use_case.fetch)
