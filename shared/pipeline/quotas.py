"""How many jobs one user may start, and how many videos have fetched again.

Each start, and each retry, costs YouTube quota that all users share. Each video that is fetched again costs a
request from an address that YouTube blocks if it asks too much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import clock
from shared.config import Config
from shared.errors import TooMany
from shared.gcp.documents import Snapshot

#: Takes ids of jobs, and returns the ids of the active ones among them. Takes None, and returns the ids of
#: all active jobs that the user started.
StillActive = Callable[[Sequence[str] | None], list[str]]
_WINDOW = timedelta(hours=1)
_DAY = timedelta(days=1)
#: Seconds until a retry is worthwhile when other jobs have to end first.
_RETRY_WHILE_BUSY = 60


@dataclass(frozen=True, slots=True)
class Quota:
    """The quota of one user: jobs started within an hour, jobs active at the same time, and videos fetched
    again on one day (UTC).
    """

    user_id: str
    per_hour: int
    at_once: int
    again_per_day: int

    @classmethod
    def for_user(cls, user_id: str, config: Config) -> Quota:
        return cls(user_id, config.jobs_per_hour, config.jobs_at_once, config.fetch_again_per_day)

    @property
    def path(self) -> str:
        """The document that holds when the user started jobs, and which."""
        return starts_path(self.user_id)

    def spend(self, starts: Snapshot, job_id: str, still: StillActive, again: int = 0) -> dict[str, Any]:
        """The new fields of the document after one more start, of this job.

        ``starts``: the document as it was read; ``still``: finds the active jobs if it matters which they
        are; ``again``: the videos that the job fetches again.

        Raises:
            TooMany: the quota is used up.
        """
        jobs = with_job(starts, job_id, still, self.at_once)
        now = clock.now()
        known: list[datetime] = (starts.data or {}).get("at", [])
        recent = sorted(time for time in known if time > now - _WINDOW)
        if len(recent) >= self.per_hour:
            raise _too_many(f"You have started {len(recent)} jobs within an hour.", recent[0], now)
        fields = {"at": [*recent, now], "jobs": jobs}
        return fields | (self._spend_again(starts, again, now) if again else {})

    def look_up(self, starts: Snapshot) -> dict[str, Any]:
        """The new fields of the document after one more look-up of a channel. As many an hour as jobs.

        Raises:
            TooMany: the quota is used up.
        """
        now = clock.now()
        known: list[datetime] = (starts.data or {}).get("looked_up", [])
        recent = sorted(time for time in known if time > now - _WINDOW)
        if len(recent) >= self.per_hour:
            raise _too_many(f"You have looked up {len(recent)} channels within an hour.", recent[0], now)
        return {"looked_up": [*recent, now]}

    def _spend_again(self, starts: Snapshot, videos: int, now: datetime) -> dict[str, Any]:
        if videos > self.again_per_day:
            raise TooMany(
                f"These are {videos:,} videos, more than the {self.again_per_day:,} that you can have fetched"
                " again in a day. Fetch single videos again, or ask the operator to raise"
                " FETCH_AGAIN_PER_DAY.",
                None,
            )
        today, known = now.date().isoformat(), starts.data or {}
        spent: int = known.get("again", 0) if known.get("again_on") == today else 0
        left = max(0, self.again_per_day - spent)
        if videos > left:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
            raise TooMany(
                f"You can have {self.again_per_day:,} videos fetched again each day. {left:,} are left today,"
                f" and these are {videos:,}. Choose single videos, or try again after midnight UTC.",
                max(1, round((midnight - now).total_seconds())),
            )
        return {"again_on": today, "again": spent + videos}


def _too_many(what: str, first: datetime, now: datetime) -> TooMany:
    """``first``: when the first of those within the window happened."""
    seconds = max(1, -int(-(first + _WINDOW - now).total_seconds() // 1))
    return TooMany(f"{what} Try again in {-(-seconds // 60)} minutes.", seconds)


def starts_path(user_id: str) -> str:
    return f"starts/{user_id}"


def with_job(starts: Snapshot, job_id: str, still: StillActive, at_once: int | None = None) -> list[str]:
    """The ids of this job, of all active jobs that the user started, and of some that are over.

    So most starts need no query, which takes the emulator a while: it looks at all documents.

    Raises:
        TooMany: ``at_once`` others are active.
    """
    # Older documents do not have the field.
    named = starts.data.get("jobs") if starts.data else []
    jobs = [each for each in (still(None) if named is None else named) if each != job_id]
    if at_once is not None and len(jobs) >= at_once and len(jobs := still(jobs)) >= at_once:
        raise TooMany(
            f"{len(jobs)} of your playlists or videos are being fetched. Wait until one of them is done.",
            _RETRY_WHILE_BUSY,
        )
    return [*jobs, job_id]
