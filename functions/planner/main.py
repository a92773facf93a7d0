"""Lists a playlist: topic playlists."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import startup
from shared.gcp.deliveries import Deliveries
from shared.gcp.failpoints import Failpoints
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.messages import PlaylistMessage
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.planner import Planner
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.youtube.data_api import DataApi

config = startup.begin(
    "ELASTICSEARCH_URL",
    "YOUTUBE_API_KEY",
    "GOOGLE_OAUTH_CLIENT_ID",
    "GOOGLE_OAUTH_CLIENT_SECRET",
    "GRANT_ENCRYPTION_KEYS",
)
db, topics = Firestore(config), Topics(config)
index, grants = SearchIndex(SearchServer(config)), Grants(db, Google(config), config)
use_case = Planner(config, db, topics, index, DataApi(config), grants)
deliveries = Deliveries("planner", topics, Failpoints.from_config(config))
functions_framework.errorhandler(400)(deliveries.answer_no_event)


@functions_framework.cloud_event
def planner(event: CloudEvent) -> None:
    deliveries.receive(event, PlaylistMessage, use_case.plan)
