"""Fetches a video's transcript: topic videos."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import events
from shared.fetcher import fetch
from shared.messages import VideoMessage

functions_framework.errorhandler(400)(events.unreadable("fetcher"))


@functions_framework.cloud_event
def fetcher(event: CloudEvent) -> None:
    events.receive(event, VideoMessage, fetch, source="fetcher")
