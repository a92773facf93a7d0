"""How many jobs one user may start. Soft: two requests at once may both be the last."""

from __future__ import annotations

from datetime import timedelta

from shared import clock, config, documents, jobs
from shared.errors import TooMany
from shared.jobs import Job

_WINDOW = timedelta(hours=1)
#: Seconds until it is worth trying again when jobs have to end first.
_WHILE_BUSY = 60


def start(user_id: str, playlist_id: str) -> tuple[Job, bool]:
    """As :func:`shared.jobs.start`, for a person.

    Raises:
        TooMany: the user has started, or has active, as many as anybody may.
    """
    if jobs.current(user_id, playlist_id) is None:
        _require_room(user_id)
    return jobs.start(user_id, playlist_id)


def _require_room(user_id: str) -> None:
    settings = config.load()
    busy = len(jobs.active(user_id))
    if busy >= settings.jobs_at_once:
        raise TooMany(f"{busy} of your playlists are being indexed: wait until one is done.", _WHILE_BUSY)
    now = clock.now()
    recent = [
        snapshot.data["created_at"]
        for snapshot in documents.query(
            "jobs",
            ("user_id", "==", user_id),
            ("created_at", ">", now - _WINDOW),
            order_by="created_at",
            descending=True,
            limit=settings.jobs_per_hour,
            fields=["created_at"],
        )
        if snapshot.data
    ]
    if len(recent) >= settings.jobs_per_hour:
        wait = max(1, -int(-(recent[-1] + _WINDOW - now).total_seconds() // 1))
        raise TooMany(
            f"You have started {len(recent)} jobs within an hour: go on in {-(-wait // 60)} minutes.", wait
        )
