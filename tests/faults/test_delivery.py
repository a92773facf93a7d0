"""Pub/Sub delivers messages at least once and in any order: a job ends the same."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import requests

from infra.local.fake_youtube.library import generate
from tests.invariants import asked, check, ids_of, ledger, of_one_asking
from tests.stack import Stack


@pytest.fixture(autouse=True)
def _slow_youtube(stack: Stack) -> Iterator[None]:
    stack.fake_youtube.reset("stats", "faults")
    stack.fake_youtube.latency(player=0.3, timedtext=0.3)
    yield
    stack.fake_youtube.reset("latency", "faults")


def _publish_all(stack: Stack, messages: list[tuple[str, dict[str, str]]]) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda message: stack.publish(*message), messages))


def test_messages_may_be_delivered_twice_and_out_of_order(stack: Stack) -> None:
    expected = ids_of("PLgen-150-dup-short-mixed")
    job_id = stack.index("PLgen-150-dup-short-mixed")
    stack.wait_for(lambda: stack.job(job_id)["total"], 60, "the list is complete")
    again = [
        (topic, {"job_id": job_id, "video_id": video_id})
        for topic in ("transcripts", "videos")
        for video_id in expected
    ]
    # Some on `transcripts` come before their video was fetched, and some on `videos` after that.
    random.Random(20).shuffle(again)
    _publish_all(
        stack, [("playlists", {"playlist_id": "PLgen-150-dup-short-mixed", "job_id": job_id}), *again]
    )
    stack.finish(job_id)
    check(stack, job_id, expected)
    most = of_one_asking(expected)
    assert all(times <= most[video_id] for video_id, times in asked(stack, expected).items())


def test_messages_that_come_after_the_end_of_a_job_change_nothing(stack: Stack) -> None:
    expected = ids_of("PLgen-20-late-short")
    job_id = stack.index("PLgen-20-late-short")
    before = stack.finish(job_id)
    messages = [("videos", {"job_id": job_id, "video_id": video_id}) for video_id in expected]
    _publish_all(stack, [("playlists", {"playlist_id": "PLgen-20-late-short", "job_id": job_id}), *messages])
    last = stack.publish("transcripts", {"job_id": job_id, "video_id": expected[0]})
    stack.wait_for(lambda: f'"{last}"' in stack.log("delivery"), 60, "the last message is delivered")
    check(stack, job_id, expected)
    assert stack.job(job_id) == before


def _has_indexed(stack: Stack, job_id: str) -> bool:
    return bool(stack.job(job_id, "remover")["counts"]["indexed"])


def test_messages_that_come_after_a_removal_bring_nothing_back(stack: Stack) -> None:
    """One playlist is removed while it is indexed, and one afterwards."""
    playlists = {"PLgen-30-cutoff-short": False, "PLgen-6-putaway-short": True}
    late: list[tuple[str, dict[str, str]]] = []
    jobs = {}
    for playlist, done in playlists.items():
        job_id = stack.index(playlist, "remover")
        stack.wait_for(partial(_has_indexed, stack, job_id), 60, "a first video is indexed")
        if done:
            stack.finish(job_id, "remover")
        assert stack.request("DELETE", f"/api/playlists/{playlist}", "remover").status_code == 204
        jobs[job_id] = "done" if done else "cancelled"
        late.append(("playlists", {"playlist_id": playlist, "job_id": job_id}))
        for topic in ("videos", "transcripts"):
            late += [(topic, {"job_id": job_id, "video_id": video_id}) for video_id in ids_of(playlist)]
    _publish_all(stack, late)
    last = [
        stack.publish(topic, late[0][1] | {"video_id": "x"})
        for topic in ("playlists", "videos", "transcripts")
    ]
    stack.wait_for(
        lambda: all(f'"{each}"' in stack.log("delivery") for each in last), 60, "all messages are delivered"
    )
    assert {job_id: stack.job(job_id, "remover")["state"] for job_id in jobs} == jobs
    assert stack.get("/api/playlists", "remover").json()["playlists"] == []
    for playlist in playlists:
        for video_id in ids_of(playlist)[:3]:
            assert stack.search(f'"{generate.phrase_of(video_id).text}"', "remover")["total"] == 0


def test_overlapping_deliveries_of_a_message_ask_youtube_once(stack: Stack) -> None:
    """This happens when a handler outlives its ack deadline."""
    stack.fake_youtube.latency(player=1.5)
    expected = ids_of("PLgen-4-overlap-short")
    url = f"http://127.0.0.1:{stack.components()['fetcher']['port']}/"
    job_id = stack.index("PLgen-4-overlap-short")
    stack.wait_for(lambda: stack.job(job_id)["total"], 60, "the list is complete")

    def deliver(number: int) -> int:
        data = json.dumps({"job_id": job_id, "video_id": expected[number % 4]}).encode()
        headers = {
            "ce-id": f"overlap-{number}",
            "ce-source": "//pubsub.googleapis.com/projects/yts-local/topics/videos",
            "ce-specversion": "1.0",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        }
        body = {"message": {"data": base64.b64encode(data).decode(), "messageId": f"overlap-{number}"}}
        return requests.post(url, json=body, headers=headers, timeout=60).status_code

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(deliver, range(12)))
    # Nacked, because another delivery has claimed the video, or acked, because it has finished.
    assert set(answers) <= {200, 503}
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert set(asked(stack, expected).values()) == {1}


def test_several_planners_may_work_on_one_job(stack: Stack) -> None:
    stack.fake_youtube.latency(data_api=0.4)
    expected = ids_of("PLgen-200-planners-short")
    job_id = stack.index("PLgen-200-planners-short")
    _publish_all(stack, [("playlists", {"playlist_id": "ignored", "job_id": job_id})] * 3)
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert max(asked(stack, expected).values()) == 1


def test_a_cancelled_job_stops_and_can_be_retried(stack: Stack) -> None:
    stack.fake_youtube.latency(player=1.0, timedtext=1.0)
    expected = ids_of("PLgen-160-cancel-short")
    job_id = stack.index("PLgen-160-cancel-short")
    stack.wait_for(lambda: stack.job(job_id)["counts"]["indexed"], 60, "a first video is indexed")
    assert stack.post(f"/api/jobs/{job_id}/cancel").json()["state"] == "cancelled"

    def idle() -> bool:
        return bool(stack.fake_youtube.stats()["in_flight"]["videos"]["current"] == 0)

    stack.wait_for(idle, 60, "YouTube is not asked any more")
    cancelled = stack.job(job_id)
    assert cancelled["finished_at"]
    assert cancelled["counts"]["pending"] > 0
    assert sum(cancelled["counts"].values()) == cancelled["total"] == 160
    stack.fake_youtube.reset("latency")
    assert stack.post(f"/api/jobs/{job_id}/retry").json()["state"] == "running"
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert len(ledger(stack, job_id, state="indexed")) == 160
