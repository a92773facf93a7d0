"""How many jobs one user may start. Each start, and each retry, costs YouTube quota that all users share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import clock
from shared.config import Config
from shared.errors import TooMany
from shared.gcp.documents import Snapshot

_WINDOW = timedelta(hours=1)
#: Seconds until a retry is worthwhile when other jobs have to end first.
_RETRY_WHILE_BUSY = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of one user: jobs started within an hour, and jobs active at the same time."""

    user_id: str
    per_hour: int
    at_once: int

    @classmethod
    def for_user(cls, user_id: str, config: Config) -> Quota:
        return cls(user_id, config.jobs_per_hour, config.jobs_at_once)

    @property
    def path(self) -> str:
        """The document that holds when the user started jobs."""
        return starts_path(self.user_id)

    def spend(self, starts: Snapshot, active: int) -> dict[str, Any]:
        """The new fields of the document after one more start.

        ``starts``: the document as it was read; ``active``: the user's active jobs.

        Raises:
            TooMany: the quota is used up.
        """
        if active >= self.at_once:
            raise TooMany(
                f"{active} of your playlists are being indexed. Wait until one of them is done.",
                _RETRY_WHILE_BUSY,
            )
        now = clock.now()
        known: list[datetime] = (starts.data or {}).get("at", [])
        recent = sorted(time for time in known if time > now - _WINDOW)
        if len(recent) >= self.per_hour:
            seconds = max(1, -int(-(recent[0] + _WINDOW - now).total_seconds() // 1))
            raise TooMany(
                f"You have started {len(recent)} jobs within an hour."
                f" Try again in {-(-seconds // 60)} minutes.",
                seconds,
            )
        return {"at": [*recent, now]}


def starts_path(user_id: str) -> str:
    return f"starts/{user_id}"
