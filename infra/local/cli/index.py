"""`index SOURCE…` and `fetch VIDEO`: start jobs, show their progress, and list what could not be indexed."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from tqdm import tqdm

from infra.local.cli.api import Api, ApiError
from shared.video_address import video_in_address

_POLL_SECONDS = 0.4
#: How long failed requests are retried. A gateway or function that is restarted is back by then.
_PATIENCE_SECONDS = 60.0
_ENDED = ("done", "failed", "cancelled")
#: The video states that are listed after the job, and how many videos of each are shown.
_LISTED = {
    "failed": "failed",
    "unavailable": "unavailable",
    "no_transcript": "without captions (found by title and description)",
}
_SHOWN = 25


def add(api: Api, sources: Sequence[str], *, poll_seconds: float = _POLL_SECONDS) -> bool:
    """Indexes playlists, channels and videos. Whether all of them were taken, and all jobs are done.

    Raises:
        ApiError: nothing could be started, or requests failed for too long.
    """
    answer = api.call("POST", "/api/sources", json={"text": "\n".join(sources)})
    for line in answer["lines"]:
        if line["choice"] is not None:
            print(_too_large(line["title"], line["choice"]))
        elif line["detail"]:
            print(f"{line['text']}: {line['detail']}")
    jobs = dict.fromkeys(line["job_id"] for line in answer["lines"] if line["job_id"])
    done = [_show(api, job_id, time.monotonic(), poll_seconds) for job_id in jobs]
    taken = [line["taken_for"] != "nothing" and line["choice"] is None for line in answer["lines"]]
    return all(done) and all(taken)


def _too_large(title: str, choice: dict[str, Any]) -> str:
    videos = "an unknown number of" if choice["videos"] is None else f"{choice['videos']:,}"
    minutes = -(-choice["seconds"] // 60)
    return (
        f"{title} has {videos} videos. All of them take about {minutes:,} minutes and {choice['units']:,}"
        " units of YouTube's daily quota. Choose with --newest N or --since DATE, or say --all."
    )


def index(
    api: Api,
    playlist: str,
    *,
    again: bool = False,
    channel: dict[str, Any] | None = None,
    poll_seconds: float = _POLL_SECONDS,
) -> bool:
    """Returns whether the job is done: False when it failed or was cancelled. ``again``: fetch all again.

    ``channel``: what of a channel is wanted; None: as it was chosen before.

    Raises:
        ApiError: the job could not be started, or requests failed for too long.
    """
    body = {"playlist": playlist} | ({"again": True} if again else {})
    return _run(api, "/api/index", body | ({"channel": channel} if channel else {}), poll_seconds)


def fetch(api: Api, video: str, *, poll_seconds: float = _POLL_SECONDS) -> bool:
    """As :func:`index`, for one video that is fetched again, given by its id or its address."""
    video_id = video_in_address(video) or video
    return _run(api, f"/api/videos/{quote(video_id, safe='')}/fetch", {}, poll_seconds)


def _run(api: Api, path: str, body: dict[str, Any], poll_seconds: float) -> bool:
    began = time.monotonic()
    return _show(api, api.call("POST", path, json=body)["job_id"], began, poll_seconds)


def _show(api: Api, job_id: str, began: float, poll_seconds: float) -> bool:
    """Shows a job to its end. Whether it is done."""
    job = _watch(api, job_id, poll_seconds)
    _summary(job, time.monotonic() - began)
    for state, meaning in _LISTED.items():
        if count := job["counts"][state]:
            _list_videos(api, job_id, state, meaning, count)
    return bool(job["state"] == "done")


def _watch(api: Api, job_id: str, poll_seconds: float) -> dict[str, Any]:
    """Shows the progress until the job ends. Returns the job."""
    progress = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        for job in _poll(api, job_id, poll_seconds):
            settled = sum(count for state, count in job["counts"].items() if state != "pending")
            progress.show(job, settled)
            if job["state"] in _ENDED:
                return job
    finally:
        progress.close()
    raise AssertionError("polling never ends by itself")


def _poll(api: Api, job_id: str, seconds: float) -> Iterator[dict[str, Any]]:
    last_answer = time.monotonic()
    while True:
        try:
            job = api.call("GET", f"/api/jobs/{job_id}")
        except ApiError:
            if time.monotonic() - last_answer > _PATIENCE_SECONDS:
                raise
        else:
            last_answer = time.monotonic()
            yield job
        time.sleep(seconds)


class _Bar:
    """A progress bar, for a terminal."""

    def __init__(self) -> None:
        # tqdm shows no bar on a terminal of unknown size.
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
    """A line every few seconds, for a log."""

    _INTERVAL_SECONDS = 5.0

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last_line = self._began

    def show(self, job: dict[str, Any], settled: int) -> None:
        now = time.monotonic()
        if now - self._last_line < self._INTERVAL_SECONDS and job["state"] not in _ENDED:
            return
        self._last_line = now
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
        return f"YouTube blocks this address; going on at {job['blocked_until']}"
    return f"{job['counts']['failed']} failed" if job["counts"]["failed"] else ""


def _summary(job: dict[str, Any], seconds: float) -> None:
    counts = job["counts"]
    if job["state"] == "failed":
        print(f"The job failed: {job['error'] or 'no reason given'}")
    elif job["state"] == "cancelled":
        print("The job was cancelled.")
    print(
        f"{job['total'] or 0} videos in {seconds:.0f} s: {counts['indexed']} indexed,"
        f" {counts['no_transcript']} without captions, {counts['unavailable']} unavailable,"
        f" {counts['failed']} failed; {job['reused']} were known already,"
        f" {job['youtube_bytes'] / 1e6:.1f} MB from YouTube"
    )


def _list_videos(api: Api, job_id: str, state: str, meaning: str, count: int) -> None:
    print(f"{count} {meaning}:")
    page = api.call("GET", f"/api/jobs/{job_id}/videos", params={"state": state, "limit": _SHOWN})
    for video in page["videos"][:_SHOWN]:
        print(
            f"  {video['video_id']}  {video['title'] or '(no title)'}: {video['reason'] or 'no reason given'}"
        )
    if count > _SHOWN:
        print(f"  … and {count - _SHOWN} more")
