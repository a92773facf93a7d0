"""Settles what was given up: topic dead-letters."""

from __future__ import annotations

import functions_framework
from cloudevents.http import CloudEvent

from shared import events
from shared.dead_letters import settle

functions_framework.errorhandler(400)(events.unreadable("dead_letters"))


@functions_framework.cloud_event
def dead_letters(event: CloudEvent) -> None:
    events.receive_raw(event, settle, source="dead_letters")
