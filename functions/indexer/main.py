"""Makes a fetched video searchable: topic transcripts."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import startup
from shared.gcp.deliveries import Deliveries
from shared.gcp.failpoints import Failpoints
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
deliveries = Deliveries("indexer", topics, Failpoints.from_config(config))
functions_framework.errorhandler(400)(deliveries.answer_no_event)


@functions_framework.cloud_event
def indexer(event: CloudEvent) -> None:
    deliveries.receive(event, VideoMessage, use_case.index)
