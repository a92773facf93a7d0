"""Lists a playlist: topic playlists."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import config, events
from shared.messages import PlaylistMessage
from shared.planner import plan

config.at_start(
    "YOUTUBE_API_KEY", "GOOGLE_OAUTH_CLIENT_ID", "GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS"
)
functions_framework.errorhandler(400)(events.unreadable("planner"))


@functions_framework.cloud_event
def planner(event: CloudEvent) -> None:
    events.receive(event, PlaylistMessage, plan, source="planner")
