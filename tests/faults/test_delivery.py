"""Pub/Sub delivers at least once and in any order: the end is the same."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.invariants import asked, check, ids_of, ledger
from tests.stack import Stack


@pytest.fixture(autouse=True)
def _slow_youtube(stack: Stack) -> Iterator[None]:
    stack.standin.reset("stats", "faults")
    stack.standin.latency(player=0.3, timedtext=0.3)
    yield
    stack.standin.reset("latency", "faults")


def _publish_all(stack: Stack, messages: list[tuple[str, dict[str, str]]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda message: stack.publish(*message), messages))


def test_every_message_twice_and_out_of_order(stack: Stack) -> None:
    expected = ids_of("PLgen-150-dup-short-mixed")
    job_id = stack.index("PLgen-150-dup-short-mixed")
    stack.wait_for(lambda: stack.job(job_id)["total"], 60, "the list is complete")
    again = [
        (topic, {"job_id": job_id, "video_id": video_id})
        for topic in ("transcripts", "videos")
        for video_id in expected
    ]
    # Those on `transcripts` come before anything was fetched, the others while and after.
    random.Random(20).shuffle(again)
    _publish_all(
        stack, [("playlists", {"playlist_id": "PLgen-150-dup-short-mixed", "job_id": job_id}), *again]
    )
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert max(asked(stack, expected).values()) == 1


def test_messages_that_come_after_the_end_change_nothing(stack: Stack) -> None:
    expected = ids_of("PLgen-20-late-short")
    job_id = stack.index("PLgen-20-late-short")
    before = stack.finish(job_id)
    messages = [("videos", {"job_id": job_id, "video_id": video_id}) for video_id in expected]
    _publish_all(stack, [("playlists", {"playlist_id": "PLgen-20-late-short", "job_id": job_id}), *messages])
    last = stack.publish("transcripts", {"job_id": job_id, "video_id": expected[0]})
    stack.wait_for(lambda: f'"{last}"' in stack.log("delivery"), 30, "the last is delivered")
    check(stack, job_id, expected)
    assert stack.job(job_id) == before


def test_two_planners_at_work_on_one_job(stack: Stack) -> None:
    stack.standin.latency(data_api=0.15)
    expected = ids_of("PLgen-500-planners-short")
    job_id = stack.index("PLgen-500-planners-short")
    _publish_all(stack, [("playlists", {"playlist_id": "ignored", "job_id": job_id})] * 3)
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert max(asked(stack, expected).values()) == 1


def test_cancelled_work_stops_and_can_go_on(stack: Stack) -> None:
    stack.standin.latency(player=1.0, timedtext=1.0)
    expected = ids_of("PLgen-300-cancel-short")
    job_id = stack.index("PLgen-300-cancel-short")
    stack.wait_for(lambda: stack.job(job_id)["counts"]["indexed"], 60, "a first video")
    assert stack.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"

    def quiet() -> bool:
        return bool(stack.standin.stats()["in_flight"]["videos"]["current"] == 0)

    stack.wait_for(quiet, 15, "nobody asks YouTube any more")
    cancelled = stack.job(job_id)
    assert cancelled["finished_at"]
    assert cancelled["counts"]["pending"] > 100
    assert sum(cancelled["counts"].values()) == cancelled["total"] == 300
    stack.standin.reset("latency")
    assert stack.post(f"/api/jobs/{job_id}/retry").json()["state"] == "running"
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert len(ledger(stack, job_id, state="indexed")) == 300
