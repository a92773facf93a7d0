"""YouTube blocks addresses: videos wait, no attempt is counted, and the work goes on by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any

import pytest

from infra.local.state_dir import ROOT
from tests.egress import forget
from tests.invariants import check, ids_of, ledger
from tests.stack import Stack

#: The status with which YouTube refuses an address.
_REFUSED = 429
#: Videos at YouTube at the same time, unless FETCH_CONCURRENCY says otherwise.
_AT_ONCE = 50


@pytest.fixture(autouse=True)
def _a_new_address(stack: Stack) -> Iterator[None]:
    """An address about which neither YouTube nor the fetcher knows anything."""
    forget(stack)
    yield
    forget(stack)


def _requests(stack: Stack) -> tuple[int, int]:
    """The number of requests for pages of YouTube, and how many of them were refused."""
    endpoints = stack.fake_youtube.stats()["endpoints"]
    found: list[dict[str, Any]] = [
        endpoints[name] for name in ("watch", "player", "timedtext") if name in endpoints
    ]
    return (
        sum(each["requests"] for each in found),
        sum(each["statuses"].get(str(_REFUSED), 0) for each in found),
    )


@pytest.mark.timeout(300)
def test_few_requests_are_wasted_at_an_address_that_is_blocked_again_and_again(stack: Stack) -> None:
    """YouTube takes 150 requests in four seconds. All of 300 videos are fetched, at least two a second.

    At the first block, at most what is in flight is wasted; of the later requests, at most a twentieth is.
    """
    # After a rest the fetcher begins a new count, without the video that made it forget its address.
    sleep(6)
    budget, window = 150, 4.0
    stack.fake_youtube.latency(player=0.1, timedtext=0.1)
    stack.fake_youtube.reset("stats")
    stack.fake_youtube.control("addresses", {"address": "*", "requests": budget, "window": window})
    expected = ids_of("PLgen-300-blocks-short")
    began = monotonic()
    job_id = stack.index("PLgen-300-blocks-short")

    def waiting() -> dict[str, Any] | None:
        job = stack.job(job_id)
        return job if job["blocked_until"] else None

    blocked = stack.wait_for(waiting, 60, "the job says how long it waits")
    assert blocked
    stack.finish(job_id, timeout=200)
    seconds = monotonic() - began
    total, refused = _requests(stack)
    check(stack, job_id, expected)
    # The planner may still be listing the videos at the first block.
    assert blocked["state"] in ("planning", "running")
    assert refused <= _AT_ONCE + 0.05 * (total - budget), (refused, total, seconds)
    assert seconds < 300 / 2
    assert {video["attempts"] for video in ledger(stack, job_id).values()} == {0}
    assert stack.job(job_id)["blocked_until"] is None


@pytest.fixture
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """`./emulators.sh worker` at another address: the one of the fake YouTube's forward proxy."""
    proxy = json.loads(stack.state.status_file.read_text())["youtube_proxy"]
    own = {"PROXY_URL": proxy.replace("http://", "http://home:x@"), "PROXY_MODE": "always"}
    log = stack.state.log("worker")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [ROOT / "emulators.sh", "worker"],
            env=stack.environment | own | {"EGRESS_NAME": "home"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        stack.wait_for(lambda: "worker started" in stack.log("worker"), 60, lambda: stack.log("worker"))
        yield process
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.timeout(300)
def test_a_worker_at_another_address_does_the_work_of_a_blocked_one(
    stack: Stack, worker: subprocess.Popen[bytes]
) -> None:
    """YouTube refuses the fetcher's address for ever, and does not refuse the worker's."""
    stack.fake_youtube.control("addresses", {"address": "127.0.0.1", "requests": 0, "window": 1})
    expected = ids_of("PLgen-30-home-short")
    job_id = stack.index("PLgen-30-home-short")
    stack.finish(job_id, timeout=200)
    check(stack, job_id, expected)
    addresses = stack.fake_youtube.stats()["addresses"]
    assert addresses["proxy:home"]["requests"] >= 2 * len(expected)
    # The probes, and the requests that were in flight at the first block.
    assert addresses["127.0.0.1"]["requests"] < 30, addresses
    assert {video["attempts"] for video in ledger(stack, job_id).values()} == {0}
    worker.terminate()
    assert worker.wait(60) == 0
    assert "worker stopped" in stack.log("worker")
