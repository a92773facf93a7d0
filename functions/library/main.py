"""/api/playlists and /api/collections: the caller's library, and what the caller has at YouTube."""

from __future__ import annotations

import functions_framework
from flask import Request, Response

from shared import startup
from shared.accounts.auth import Caller
from shared.accounts.dashboard import Dashboard, RefreshChoice, Source, SourceList
from shared.declared import PlaylistId, VideoId
from shared.errors import Busy, Full, TooMany
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.library.subscriptions import SubscriptionList, Subscriptions
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.collecting import (
    AddedVideos,
    CollectedVideos,
    Collecting,
    CollectionAsked,
    CollectionId,
    CollectionView,
    NewCollection,
    NewVideos,
)
from shared.pipeline.removal import Removal
from shared.pipeline.start import Start
from shared.search.index.passage_counts import PassageCounts
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.web.routing import MAXIMUM_LIST, Routes
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
def list_sources(request: Request, caller: Caller) -> SourceList:
    """Your library: Liked videos, your playlists at YouTube, channels, collections and what you added."""
    return dashboard.of_user(caller.user_id)


@routes.patch("/api/playlists/<playlist_id>")
def change_source(request: Request, caller: Caller, playlist_id: PlaylistId, body: RefreshChoice) -> Source:
    """Choose how often a source is refreshed."""
    return dashboard.choose(caller.user_id, playlist_id, body.refresh)


@routes.delete("/api/playlists/<playlist_id>")
def remove_source(request: Request, caller: Caller, playlist_id: PlaylistId) -> Response:
    """Take a source out of your library, at once, and cancel its jobs."""
    removal.remove(caller.user_id, playlist_id)
    return Response(status=204)


@routes.get("/api/subscriptions")
def list_subscriptions(request: Request, caller: Caller) -> SubscriptionList:
    """The channels that you have subscribed to at YouTube."""
    return subscriptions.of_user(caller.user_id)


@routes.post("/api/collections", status=201, raises=[Busy])
def create_collection(request: Request, caller: Caller, body: NewCollection) -> CollectionView:
    """Make a collection, to which you add videos. 409 for a title that you have."""
    return collecting.create(caller.user_id, body.title)


@routes.patch("/api/collections/<collection_id>", raises=[Busy])
def rename_collection(
    request: Request, caller: Caller, collection_id: CollectionId, body: NewCollection
) -> CollectionView:
    """Give a collection another title."""
    return collecting.rename(caller.user_id, collection_id, body.title)


@routes.get("/api/collections/<collection_id>/videos")
def list_collection(
    request: Request, caller: Caller, collection_id: CollectionId, query: CollectionAsked
) -> CollectedVideos:
    """The videos of a collection, what was added last first."""
    return collecting.videos(caller.user_id, collection_id, query.cursor)


@routes.post(
    "/api/collections/<collection_id>/videos",
    status=(202, 200),
    maximum_body=MAXIMUM_LIST,
    raises=[Busy, TooMany, Full],
)
def add_to_collection(
    request: Request, caller: Caller, collection_id: CollectionId, body: NewVideos
) -> tuple[AddedVideos, int]:
    """Add videos to a collection, or move them there from another.

    202 with the job that looks at videos that are new here; 200 if all can be found already.
    """
    return collecting.add(caller.user_id, collection_id, body)


@routes.delete("/api/collections/<collection_id>/videos/<video_id>")
def remove_from_collection(
    request: Request, caller: Caller, collection_id: CollectionId, video_id: VideoId
) -> Response:
    """Take a video out of a collection."""
    collecting.remove(caller.user_id, collection_id, video_id)
    return Response(status=204)
