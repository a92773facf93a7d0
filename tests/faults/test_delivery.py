"""Pub/Sub delivers at least once and in any order: the end is the same."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from infra.local.standin import generate
from tests.invariants import asked, check, ids_of, ledger, of_one_asking
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
    most = of_one_asking(expected)
    assert all(times <= most[video_id] for video_id, times in asked(stack, expected).items())


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


def test_messages_that_come_after_a_removal_bring_nothing_back(stack: Stack) -> None:
    """A playlist removed while it is indexed, and one that was done."""
    playlists = {"PLgen-30-cutoff-short": False, "PLgen-6-putaway-short": True}
    late: list[tuple[str, dict[str, str]]] = []
    jobs = {}
    for playlist, done in playlists.items():
        job_id = stack.index(playlist, "remover")
        stack.wait_for(lambda: stack.job(job_id, "remover")["counts"]["indexed"], 60, "a first video")  # noqa: B023
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
    stack.wait_for(lambda: all(f'"{each}"' in stack.log("delivery") for each in last), 60, "all is delivered")
    assert {job_id: stack.job(job_id, "remover")["state"] for job_id in jobs} == jobs
    assert stack.get("/api/playlists", "remover").json()["playlists"] == []
    for playlist in playlists:
        for video_id in ids_of(playlist)[:3]:
            assert stack.search(f'"{generate.phrase_of(video_id).text}"', "remover")["total"] == 0


def test_deliveries_that_overlap_ask_once(stack: Stack) -> None:
    """As when a handler outlives its deadline: the same message again while the first is at YouTube."""
    stack.standin.latency(player=1.5)
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
    # Given back, because somebody else has the video; or done, because somebody else was done.
    assert set(answers) <= {200, 503}
    stack.finish(job_id)
    check(stack, job_id, expected)
    assert set(asked(stack, expected).values()) == {1}


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
