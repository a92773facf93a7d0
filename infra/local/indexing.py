"""`index PLAYLIST`: starts a job, shows it as it goes on, and says what became of each video."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from typing import Any

from tqdm import tqdm

from infra.local.api import Api, ApiError

_POLL_SECONDS = 0.4
#: A gateway or function that is being started again is back by then.
_PATIENCE_SECONDS = 60.0
_OVER = ("done", "failed", "cancelled")
#: Each state that a person wants explained, and how many videos of it are listed.
_EXPLAINED = {
    "failed": "failed",
    "unavailable": "unavailable",
    "no_transcript": "without captions (found by title and description)",
}
_LISTED = 25


def index(api: Api, playlist: str) -> bool:
    """Whether the job came to its end and is done.

    Raises:
        ApiError: it could not be started, or nobody answers any more.
    """
    began = time.monotonic()
    job_id = api.call("POST", "/api/index", json={"playlist": playlist})["job_id"]
    job = _watch(api, job_id)
    _summary(job, time.monotonic() - began)
    for state, meaning in _EXPLAINED.items():
        if number := job["counts"][state]:
            _explain(api, job_id, state, meaning, number)
    return bool(job["state"] == "done")


def _watch(api: Api, job_id: str) -> dict[str, Any]:
    progress = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        for job in _polls(api, job_id):
            counts = job["counts"]
            settled = sum(number for state, number in counts.items() if state != "pending")
            progress.show(job, settled)
            if job["state"] in _OVER:
                return job
            time.sleep(_POLL_SECONDS)
    finally:
        progress.close()
    raise AssertionError("polling ends with the job")


def _polls(api: Api, job_id: str) -> Iterator[dict[str, Any]]:
    answered = time.monotonic()
    while True:
        try:
            job = api.call("GET", f"/api/jobs/{job_id}")
        except ApiError:
            if time.monotonic() - answered > _PATIENCE_SECONDS:
                raise
            time.sleep(_POLL_SECONDS)
            continue
        answered = time.monotonic()
        yield job


class _Bar:
    def __init__(self) -> None:
        # A terminal that does not tell its size would get no bar at all.
        known = shutil.get_terminal_size((0, 0)).columns > 0
        size = {"dynamic_ncols": True} if known else {"ncols": 80, "nrows": 24}
        self._bar = tqdm(unit=" videos", desc="listing", **size)

    def show(self, job: dict[str, Any], settled: int) -> None:
        self._bar.total = job["total"]
        self._bar.set_description_str(_title(job), refresh=False)
        self._bar.set_postfix_str(_postfix(job), refresh=False)
        self._bar.n = settled
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()


class _Lines:
    """For a log: a line now and then instead of one that is drawn over."""

    _EVERY_SECONDS = 5.0

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._told = self._began

    def show(self, job: dict[str, Any], settled: int) -> None:
        now = time.monotonic()
        if now - self._told < self._EVERY_SECONDS and job["state"] not in _OVER:
            return
        self._told = now
        total = job["total"]
        rate = settled / max(now - self._began, 0.001)
        left = f", {(total - settled) / rate:.0f} s left" if total and settled and total > settled else ""
        print(
            f"{_title(job)}: {settled} of {total or '?'} videos, {rate:.1f}/s{left} {_postfix(job)}".rstrip()
        )

    def close(self) -> None:
        pass


def _title(job: dict[str, Any]) -> str:
    if job["state"] in ("queued", "planning") and job["total"] is None:
        return f"{job['title'] or job['playlist_id']} (listing)"
    return str(job["title"] or job["playlist_id"])


def _postfix(job: dict[str, Any]) -> str:
    if job["blocked_until"]:
        return f"YouTube asks to wait until {job['blocked_until']}"
    return f"{job['counts']['failed']} failed" if job["counts"]["failed"] else ""


def _summary(job: dict[str, Any], seconds: float) -> None:
    counts = job["counts"]
    if job["state"] != "done":
        print(f"The job is {job['state']}: {job['error'] or 'no reason given'}")
    print(
        f"{job['total'] or 0} videos in {seconds:.0f} s: {counts['indexed']} indexed,"
        f" {counts['no_transcript']} without captions, {counts['unavailable']} unavailable,"
        f" {counts['failed']} failed; {job['reused']} were known already,"
        f" {job['youtube_bytes'] / 1e6:.1f} MB from YouTube"
    )


def _explain(api: Api, job_id: str, state: str, meaning: str, number: int) -> None:
    print(f"{number} {meaning}:")
    page = api.call("GET", f"/api/jobs/{job_id}/videos", params={"state": state, "limit": _LISTED})
    for video in page["videos"][:_LISTED]:
        print(
            f"  {video['video_id']}  {video['title'] or '(no title)'}: {video['reason'] or 'no reason given'}"
        )
    if number > _LISTED:
        print(f"  … and {number - _LISTED} more")
