"""/api/playlists and /api/collections: the caller's library, and what the caller has at YouTube."""

from __future__ import annotations

from typing import Any

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.accounts.dashboard import Dashboard
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.library.subscriptions import Subscriptions
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.collecting import Collecting
from shared.pipeline.removal import Removal
from shared.pipeline.start import Start
from shared.search.index.passage_counts import PassageCounts
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.requests import MAXIMUM_LIST, body_of
from shared.web.routing import Routes
from shared.youtube.data_api import DataApi

config = startup.begin(
    "ELASTICSEARCH_URL",
    "GOOGLE_OAUTH_CLIENT_ID",
    "PUBLIC_URL",
    "GOOGLE_OAUTH_CLIENT_SECRET",
    "GRANT_ENCRYPTION_KEYS",
)
db, server = Firestore(config), SearchServer(config)
index = SearchIndex(server)
grants, youtube = Grants(db, Google(config), config), DataApi(config)
dashboard = Dashboard(config, db, index, grants, youtube, PassageCounts(server))
subscriptions = Subscriptions(db, grants, youtube)
removal = Removal(db, index)
collecting = Collecting(db, index, Start(config, db, Topics(config)))
routes = Routes(config, db)


@functions_framework.http
def library(request: Request) -> Response:
    return routes.dispatch(request)


@routes.get("/api/playlists")
def list_playlists(request: Request, caller: Caller) -> dict[str, Any]:
    return dashboard.of_user(caller.user_id)


@routes.patch("/api/playlists/<playlist_id>")
def change(request: Request, caller: Caller, playlist_id: str) -> dict[str, Any]:
    return dashboard.choose(caller.user_id, playlist_id, body_of(request).get("refresh"))


@routes.delete("/api/playlists/<playlist_id>")
def remove(request: Request, caller: Caller, playlist_id: str) -> Response:
    removal.remove(caller.user_id, playlist_id)
    return Response(status=204)


@routes.get("/api/subscriptions")
def list_subscriptions(request: Request, caller: Caller) -> dict[str, Any]:
    return subscriptions.of_user(caller.user_id)


@routes.post("/api/collections")
def create(request: Request, caller: Caller) -> tuple[dict[str, Any], int]:
    return collecting.create(caller.user_id, body_of(request).get("title")), 201


@routes.patch("/api/collections/<collection_id>")
def rename(request: Request, caller: Caller, collection_id: str) -> dict[str, Any]:
    return collecting.rename(caller.user_id, collection_id, body_of(request).get("title"))


@routes.get("/api/collections/<collection_id>/videos")
def list_videos(request: Request, caller: Caller, collection_id: str) -> dict[str, Any]:
    return collecting.videos(caller.user_id, collection_id, request.args.get("cursor") or None)


@routes.post("/api/collections/<collection_id>/videos", maximum_body=MAXIMUM_LIST)
def add_videos(request: Request, caller: Caller, collection_id: str) -> tuple[dict[str, Any], int]:
    return collecting.add(caller.user_id, collection_id, body_of(request))


@routes.delete("/api/collections/<collection_id>/videos/<video_id>")
def remove_video(request: Request, caller: Caller, collection_id: str, video_id: str) -> Response:
    collecting.remove(caller.user_id, collection_id, video_id)
    return Response(status=204)
