"""Makes a fetched video searchable: topic transcripts."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import events
from shared.indexer import index
from shared.messages import VideoMessage

functions_framework.errorhandler(400)(events.unreadable("indexer"))


@functions_framework.cloud_event
def indexer(event: CloudEvent) -> None:
    events.receive(event, VideoMessage, index, source="indexer")
