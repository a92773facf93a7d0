"""YouTube blocks addresses: videos wait without using up attempts, and work goes on by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import pytest
import requests

from infra.local.state_dir import ROOT
from tests.invariants import check, ids_of, ledger
from tests.stack import Stack

REFUSED = 429


_EGRESS = "/v1/projects/yts-local/databases/(default)/documents/egress/main"


@pytest.fixture(autouse=True)
def _a_new_address(stack: Stack) -> Iterator[None]:
    """One that YouTube and we know nothing of."""
    _forget(stack)
    yield
    _forget(stack)


def _forget(stack: Stack) -> None:
    """In the document and in the fetcher, which learns at its next sync that there is none.

    An address that has earned trust before may have all of a test's videos in flight when it is blocked.
    """
    stack.standin.reset("faults", "latency", "addresses")
    _egress(stack, "DELETE").raise_for_status()

    def synced() -> bool:
        # A sync needs a video, and there is one a second at most. It makes the document anew.
        stack.finish(stack.index(f"PLgen-1-{uuid4().hex[:8]}-short", "forgetful"), "forgetful")
        return _egress(stack, "GET").ok

    stack.wait_for(synced, 30, "the fetcher writes what it knows of its address")
    stack.standin.reset("stats")


def _egress(stack: Stack, method: str) -> requests.Response:
    headers = {"Authorization": "Bearer owner"}
    return requests.request(method, f"http://{stack.firestore}{_EGRESS}", headers=headers, timeout=10)


def _requests(stack: Stack) -> tuple[int, int]:
    """To YouTube's pages, and how many of them were refused."""
    endpoints = stack.standin.stats()["endpoints"]
    found: list[dict[str, Any]] = [
        endpoints[name] for name in ("watch", "player", "timedtext") if name in endpoints
    ]
    return (
        sum(each["requests"] for each in found),
        sum(each["statuses"].get(str(REFUSED), 0) for each in found),
    )


@pytest.mark.timeout(300)
def test_an_address_that_bears_a_hundred_and_fifty_requests_a_window(stack: Stack) -> None:
    """300 videos: all of them, at least two a second.

    At most a tenth of the requests of the first window are wasted, and a twentieth of the later ones.
    """
    # After a rest the fetcher counts anew: the video that made it forget its address is not in the count.
    sleep(6)
    budget, window = 150, 4.0
    stack.standin.latency(player=0.1, timedtext=0.1)
    stack.standin.reset("stats")
    stack.standin.control("addresses", {"address": "*", "requests": budget, "window": window})
    expected = ids_of("PLgen-300-blocks-short")
    began = monotonic()
    job_id = stack.index("PLgen-300-blocks-short")
    stack.wait_for(lambda: stack.job(job_id)["blocked_until"], 60, "the job says until when it waits")
    blocked = stack.job(job_id)
    stack.finish(job_id, timeout=200)
    seconds = monotonic() - began
    total, refused = _requests(stack)
    check(stack, job_id, expected)
    assert blocked["state"] == "running"
    assert refused <= 0.1 * budget + 0.05 * (total - budget), (refused, total, seconds)
    assert seconds < 300 / 2
    assert {video["attempts"] for video in ledger(stack, job_id).values()} == {0}
    assert stack.job(job_id)["blocked_until"] is None


@pytest.fixture
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    """`./emulators.sh worker`, from another address: that of the stand-in's forward proxy."""
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
def test_a_worker_at_home_does_what_a_blocked_address_cannot(
    stack: Stack, worker: subprocess.Popen[bytes]
) -> None:
    """The address of the fetcher is refused for good; the worker's is not."""
    stack.standin.control("addresses", {"address": "127.0.0.1", "requests": 0, "window": 1})
    expected = ids_of("PLgen-30-home-short")
    job_id = stack.index("PLgen-30-home-short")
    stack.finish(job_id, timeout=200)
    check(stack, job_id, expected)
    addresses = stack.standin.stats()["addresses"]
    assert addresses["proxy:home"]["requests"] >= 2 * len(expected)
    # Probes, and what was in flight.
    assert addresses["127.0.0.1"]["requests"] < 30, addresses
    assert {video["attempts"] for video in ledger(stack, job_id).values()} == {0}
    worker.terminate()
    assert worker.wait(60) == 0
    assert "worker stopped" in stack.log("worker")
