"""Lists a playlist: topic playlists."""

from __future__ import annotations

import functions_framework
from flask import Request

from shared import startup
from shared.gcp.deliveries import Answer, Deliveries
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
deliveries = Deliveries("planner", topics, config)


@functions_framework.http
def planner(request: Request) -> Answer:
    return deliveries.receive(request, PlaylistMessage, use_case.plan)
