"""Settles messages that were delivered too often or cannot be read: topic dead-letters."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import startup
from shared.gcp.deliveries import Deliveries
from shared.gcp.failpoints import Failpoints
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.dead_letters import DeadLetters
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer

config = startup.begin("ELASTICSEARCH_URL")
topics = Topics(config)
use_case = DeadLetters(Firestore(config), topics, SearchIndex(SearchServer(config)))
deliveries = Deliveries("dead_letters", topics, Failpoints.from_config(config))
functions_framework.errorhandler(400)(deliveries.answer_no_event)


@functions_framework.cloud_event
def dead_letters(event: CloudEvent) -> None:
    deliveries.receive_raw(event, use_case.settle)
