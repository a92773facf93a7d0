"""Makes a fetched video searchable: topic transcripts."""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import startup
from shared.gcp.deliveries import Answer, Deliveries
from shared.gcp.firestore import BATCH_INTERVAL, Firestore
from shared.gcp.pubsub import Topics
from shared.messages import VideoMessage
from shared.pipeline.indexer import Indexer
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer

config = startup.begin("ELASTICSEARCH_URL")
topics = Topics(config)
db, index = Firestore(config, batch_interval=BATCH_INTERVAL), SearchIndex(SearchServer(config))
use_case = Indexer(db, index)
deliveries = Deliveries("indexer", topics, config)


@functions_framework.http
def indexer(request: Request) -> Answer:
    return deliveries.receive(request, VideoMessage, use_case.index)
