"""Makes a video findable by meaning: topic passages."""

from __future__ import annotations

from functools import partial

import functions_framework
from flask import Request

from shared import startup
from shared.gcp.deliveries import Answer, Deliveries
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.meaning.embedder import open_embedder
from shared.messages import PassagesMessage
from shared.pipeline.embedding import Embedding
from shared.search.index.passages import PassageIndex
from shared.search.server import SearchServer

config = startup.begin("ELASTICSEARCH_URL")
startup.yield_to_others(config)
db, topics, index = Firestore(config), Topics(config), PassageIndex(SearchServer(config))
use_case = Embedding(db, index, partial(open_embedder, config.embedder, config.embedder_models))
use_case.check_model()
deliveries = Deliveries("embedder", topics, config)


@functions_framework.http
def embedder(request: Request) -> Answer:
    return deliveries.receive(request, PassagesMessage, use_case.embed)
