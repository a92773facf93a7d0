"""A local run for a benchmark, and the jobs that are measured in it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple
from uuid import uuid4

import requests

from infra.local.fake_youtube.library import generate
from tests.benchmarks import usage
from tests.stack import Stack

#: Seconds of a request to YouTube, and of a page of the Data API.
REQUEST, PAGE = 0.5, 0.1
_LATENCIES = {"watch": REQUEST, "player": REQUEST, "timedtext": REQUEST, "data_api": PAGE}
JOB_SECONDS = 900
#: Videos after which an address is trusted (docs/decisions/blocks.md).
_TRUSTED = 400
#: Videos of a job that are left when its end is near.
_LAST = 50


class Done(NamedTuple):
    """A job that is done: seconds from its POST until its last video was searchable."""

    seconds: float
    job_id: str


class Sent(NamedTuple):
    """Requests about videos, and how many of them were refused because the address was blocked."""

    sent: int
    refused: int


def requests_of(stack: Stack) -> Sent:
    """Since the statistics of the fake YouTube were reset."""
    endpoints = stack.fake_youtube.stats()["endpoints"]
    found = [endpoints[name] for name in ("watch", "player", "timedtext") if name in endpoints]
    refused = sum(each["statuses"].get("429", 0) for each in found)
    return Sent(sum(each["requests"] for each in found), refused)


@contextmanager
def trusted(concurrency: int) -> Iterator[Stack]:
    """A run whose processes have worked before, and whose address YouTube has not blocked for a while.

    A benchmark measures neither the start of processes nor the careful beginning of a new address.
    """
    # Without failpoints, because looking for one at each boundary costs time that only tests need.
    stack = Stack(FETCH_CONCURRENCY=str(concurrency), FAILPOINTS_DIR="")
    try:
        stack.start()
        stack.finish(stack.index(f"PLgen-{_TRUSTED}-warm-short", "warm"), "warm", timeout=JOB_SECONDS)
        stack.fake_youtube.latency(**_LATENCIES)
        stack.finish(stack.index(f"PLgen-{2 * concurrency}-warmer", "warm"), "warm", timeout=JOB_SECONDS)
        stack.search("the first one asked", "warm")
        yield stack
    finally:
        stack.stop()


def make_address_new(stack: Stack) -> None:
    """Forgets all that was learned about the fetcher's address, in its document and in its process.

    The new fetcher has fetched a video, as the process has that the job is compared with.
    """
    killed = stack.kill("fetcher")
    url = f"http://{stack.firestore}/v1/projects/yts-local/databases/(default)/documents/egress/main"
    requests.delete(url, headers={"Authorization": "Bearer owner"}, timeout=30).raise_for_status()
    stack.wait_until_back({"fetcher": killed})
    stack.finish(stack.index(f"PLgen-1-{uuid4().hex[:8]}-short", "warm"), "warm", timeout=JOB_SECONDS)


def prepare(stack: Stack, playlist: str) -> None:
    """Lets the fake YouTube make the videos now. Making them is no work of ours, nor of Celery."""
    stack.fake_youtube.prepare(videos_of(playlist))


def videos_of(playlist: str) -> Sequence[str]:
    listed = generate.playlist(playlist)
    assert listed is not None, playlist
    return listed.video_ids


def job(stack: Stack, playlist: str, user: str, interval: float = 1) -> Done:
    """Runs a job. Asks for its state every ``interval`` seconds until its end is near, and then more often.

    Asking is work, too: a page asks once a second.
    """
    stack.token(user)
    begun = time.monotonic()
    job_id = stack.index(playlist, user)
    state: dict[str, Any] = {}

    def over() -> bool:
        state.update(stack.job(job_id, user))
        return state["state"] in ("done", "failed", "cancelled")

    def nearly() -> bool:
        return over() or (state["total"] is not None and state["counts"]["indexed"] >= state["total"] - _LAST)

    stack.wait_for(nearly, JOB_SECONDS, lambda: f"the job comes near its end; it is {state}", interval)
    stack.wait_for(over, JOB_SECONDS, lambda: f"the job ends; it is {state}", interval=0.2)
    took = time.monotonic() - begun
    searchable = stack.search("", user, playlist=playlist, limit=1)["total"]
    if state["state"] != "done" or searchable != state["total"]:
        sys.exit(f"expected all videos to be searchable, found {searchable} of {state}")
    return Done(took, job_id)


def job_and_processor(stack: Stack, playlist: str) -> tuple[Done, dict[str, float]]:
    """As :func:`job`, with the processor seconds of each component."""
    return usage.spent(partial(usage.pids, stack), partial(job, stack, playlist, "demo"))


def first_video(stack: Stack, playlist: str, user: str) -> float:
    """Seconds from the POST of a job until its first video is searchable."""
    prepare(stack, playlist)
    stack.token(user)
    begun = time.monotonic()
    job_id = stack.index(playlist, user)
    stack.wait_for(
        lambda: stack.search("", user, playlist=playlist, limit=1)["total"],
        60,
        lambda: f"a video is found; the job is {stack.job(job_id, user)}",
    )
    took = time.monotonic() - begun
    end = stack.finish(job_id, user)
    if end["state"] != "done":
        sys.exit(f"expected the job of the first video to be done, found {end}")
    return took
