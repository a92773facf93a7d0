"""What each user has cost, by month (UTC): one document a user, so that a page of users is read at once.

A job is counted when it starts. What it has cost is booked when it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from shared import clock
from shared.gcp.documents import Commit, Snapshot
from shared.youtube.resources import PAGE

if TYPE_CHECKING:
    from shared.pipeline.jobs import Job


class Usage(TypedDict):
    """``quota_units``: units of the Data API's quota, at most."""

    jobs: int
    youtube_bytes: int
    quota_units: int


def usage_path(user_id: str) -> str:
    return f"usage/{user_id}"


def this_month(usage: Snapshot) -> Usage:
    """``usage``: the user's document as it was read. It may be missing."""
    known = usage.data or {}
    jobs, youtube_bytes, quota_units = (known.get(_field(name), 0) for name in Usage.__annotations__)
    return Usage(jobs=jobs, youtube_bytes=youtube_bytes, quota_units=quota_units)


def book_start(commit: Commit, user_id: str) -> None:
    """Adds to ``commit`` that the user has one more job."""
    commit.add(usage_path(user_id), {_field("jobs"): 1})


def book_end(commit: Commit, job: Job, youtube_bytes: int) -> dict[str, int]:
    """Adds to ``commit`` what a job that ends has cost. The job's fields that remember what is booked.

    A job that was retried ends a second time. What was booked before is not booked again.
    """
    booked = {"booked_bytes": youtube_bytes, "booked_units": _quota_units(job)}
    amounts: dict[str, Any] = {
        _field("youtube_bytes"): booked["booked_bytes"] - job.booked_bytes,
        _field("quota_units"): booked["booked_units"] - job.booked_units,
    }
    if any(amounts.values()):
        commit.add(usage_path(job.user_id), amounts)
    return booked


def _quota_units(job: Job) -> int:
    """At most so many units of the Data API's quota has a job cost.

    Metadata of less than a day ago costs nothing. A job of some videos asks for their metadata only.
    """
    return listing_units(job.listed) if job.whole else max(1, _pages(job.listed))


def listing_units(videos: int) -> int:
    """What a source of so many videos costs: one unit for its title, and for each page its items and their
    metadata.
    """
    return 1 + 2 * _pages(videos)


def _pages(videos: int) -> int:
    return -(-videos // PAGE)


def _field(name: str) -> str:
    return f"{name}_{clock.now():%Y_%m}"
