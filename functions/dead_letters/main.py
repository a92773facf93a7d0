"""Settles messages that were delivered too often or cannot be read: topic dead-letters."""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import startup
from shared.gcp.deliveries import Answer, Deliveries
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.pipeline.dead_letters import DeadLetters
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer

config = startup.begin("ELASTICSEARCH_URL")
topics = Topics(config)
use_case = DeadLetters(Firestore(config), topics, SearchIndex(SearchServer(config)))
deliveries = Deliveries("dead_letters", topics, config)


@functions_framework.http
def dead_letters(request: Request) -> Answer:
    return deliveries.receive_raw(request, use_case.settle)
