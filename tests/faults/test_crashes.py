"""Processes killed in the middle of a job: the end is the same as if nothing had happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.invariants import asked, check, ids_of
from tests.stack import Stack

#: Videos that are at YouTube when the fetcher dies have to be asked for again.
_IN_FLIGHT = 50


@pytest.fixture(autouse=True)
def _slow_youtube(stack: Stack) -> Iterator[None]:
    """Slow enough that there is a middle to kill something in."""
    stack.standin.reset("stats", "faults")
    stack.standin.latency(player=0.4, timedtext=0.4)
    yield
    stack.standin.reset("latency", "faults")


def _wait_for_progress(stack: Stack, job_id: str, settled: int) -> None:
    def far_enough() -> bool:
        counts = stack.job(job_id)["counts"]
        return bool(sum(counts.values()) - counts["pending"] >= settled)

    stack.wait_for(far_enough, 120, f"{settled} videos are settled")


def _wait_until_back(stack: Stack, name: str, killed: int) -> None:
    def back() -> bool:
        component = stack.components()[name]
        return bool(component["state"] == "running" and component["pid"] != killed)

    stack.wait_for(back, 60, f"{name} is started again")


@pytest.mark.timeout(300)
def test_every_function_killed_once_in_the_middle(stack: Stack) -> None:
    expected = ids_of("PLgen-400-kills-short")
    job_id = stack.index("PLgen-400-kills-short")
    settled = 0
    for name in (
        "planner",
        "index",
        "jobs",
        "indexer",
        "fetcher",
        "delivery",
        "dead_letters",
        "sweep",
        "search",
    ):
        killed = stack.kill(name)
        _wait_until_back(stack, name, killed)
        settled += 15
        _wait_for_progress(stack, job_id, settled)
    stack.finish(job_id, timeout=200)
    check(stack, job_id, expected)
    times = asked(stack, expected)
    assert min(times.values()) == 1
    assert sum(times.values()) <= len(expected) + 2 * _IN_FLIGHT


def test_an_elasticsearch_outage_makes_nobody_fetch_again(stack: Stack) -> None:
    expected = ids_of("PLgen-150-outage-short")
    job_id = stack.index("PLgen-150-outage-short")
    _wait_for_progress(stack, job_id, 20)
    _wait_until_back(stack, "elasticsearch", stack.kill("elasticsearch"))
    stack.finish(job_id, timeout=150)
    check(stack, job_id, expected)
    assert set(asked(stack, expected).values()) == {1}


def test_pubsub_forgets_everything(stack: Stack) -> None:
    expected = ids_of("PLgen-150-forgets-short")
    job_id = stack.index("PLgen-150-forgets-short")
    _wait_for_progress(stack, job_id, 20)
    _wait_until_back(stack, "pubsub", stack.kill("pubsub"))
    stack.finish(job_id, timeout=150)
    check(stack, job_id, expected)
    assert set(asked(stack, expected).values()) == {1}


def test_a_job_started_while_pubsub_is_down_is_not_lost(stack: Stack) -> None:
    killed = stack.kill("pubsub")
    answer = stack.post("/api/index", json={"playlist": "PLgen-5-down-short"})
    assert answer.status_code == 202, answer.text
    _wait_until_back(stack, "pubsub", killed)
    stack.finish(answer.json()["job_id"], timeout=90)
    check(stack, answer.json()["job_id"], ids_of("PLgen-5-down-short"))
