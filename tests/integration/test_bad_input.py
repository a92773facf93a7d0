"""Bad input: each is answered with a clear error or recorded as rejected, and none is retried for ever.

The inputs are in bad_inputs.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from infra.local.fake_youtube.library import generate
from tests.integration import bad_inputs
from tests.integration.bad_inputs import (
    ANSWERS,
    BODIES,
    DELIVERIES,
    MESSAGES,
    PLAYLISTS,
    REQUESTS,
    ROUNDS,
    VIDEOS,
)
from tests.invariants import asked, check, ids_of, ledger
from tests.stack import Stack


def test_there_are_300_inputs_and_none_twice() -> None:
    assert bad_inputs.count() >= 300
    for table in (BODIES, REQUESTS, MESSAGES, ROUNDS, ANSWERS, PLAYLISTS):
        assert len(set(table)) == len(table)
    assert len({json.dumps(fields) for fields, _ in VIDEOS.values()}) == len(VIDEOS)


# -- requests ----------------------------------------------------------------------------------------


def test_a_body_that_names_no_playlist_is_answered_with_400_and_a_sentence(stack: Stack) -> None:
    wrong = []
    for body, detail in BODIES:
        answer = stack.post("/api/index", data=body, headers={"Content-Type": "application/json"})
        problem = answer.json() if "problem+json" in answer.headers["Content-Type"] else {}
        good = (answer.status_code, problem.get("status"), problem.get("title")) == (400, 400, "Bad request")
        if not (good and detail in problem["detail"] and len(problem["detail"]) < 400):
            wrong.append((body[:100], answer.status_code, answer.text[:200]))
    assert wrong == []


def test_other_bad_requests_are_answered_with_a_problem_and_never_with_500(stack: Stack) -> None:
    wrong = []
    for method, path, status in REQUESTS:
        answer = stack.request(method, path)
        kind = answer.headers["Content-Type"]
        if answer.status_code != status or (status >= 400 and "problem+json" not in kind):
            wrong.append((method, path[:100], status, answer.status_code, kind, answer.text[:200]))
    assert wrong == []


def test_a_body_that_is_too_long_is_answered_with_413(stack: Stack) -> None:
    answer = stack.post("/api/index", json={"playlist": "PLx", "padding": "x" * 70_000})
    assert (answer.status_code, answer.json()["detail"]) == (413, "Expected at most 65,536 bytes.")


# -- messages ----------------------------------------------------------------------------------------


def _rejections(stack: Stack) -> list[dict[str, str]]:
    """The messages that the pipeline has recorded as rejected, read from Firestore itself."""
    url = f"http://{stack.firestore}/v1/projects/yts-local/databases/(default)/documents/rejections"
    found: list[dict[str, str]] = []
    page = ""
    while True:
        options: dict[str, Any] = {"pageSize": 300, **({"pageToken": page} if page else {})}
        answer = requests.get(url, params=options, headers={"Authorization": "Bearer owner"}, timeout=30)
        answer.raise_for_status()
        for document in answer.json().get("documents", []):
            fields = {name: next(iter(value.values())) for name, value in document["fields"].items()}
            found.append(fields | {"name": document["name"].rsplit("/", 1)[1]})
        page = answer.json().get("nextPageToken", "")
        if not page:
            return found


def test_a_malformed_message_is_recorded_with_its_reason_and_not_delivered_again(stack: Stack) -> None:
    topics = {
        "playlists": "planner",
        "videos": "fetcher",
        "transcripts": "indexer",
        "passages": "embedder",
    }
    sent: dict[str, tuple[str, bytes, str]] = {}
    for topic, source in topics.items():
        for data, reason in [*MESSAGES, *ROUNDS] if topic in ("videos", "transcripts") else MESSAGES:
            sent[stack.publish(topic, data)] = (source, data, reason)

    def recorded() -> dict[str, dict[str, str]]:
        # The name of a rejection is the message's id and time.
        return {each["name"].split("-")[0]: each for each in _rejections(stack)}

    stack.wait_for(lambda: sent.keys() <= recorded().keys(), 60, "all messages are recorded")
    found = recorded()
    for message_id, (source, data, reason) in sent.items():
        assert found[message_id]["source"] == source
        assert found[message_id]["data"] == data.decode("utf-8", "replace")[:2000]
        assert reason in found[message_id]["reason"], (data, found[message_id])
    lines = [json.loads(line) for line in stack.log("delivery").splitlines()]
    of_sources = [line for line in lines if line.get("function") in topics.values()]
    for message_id in sent:
        assert sum(line.get("message_id") == message_id for line in of_sources) == 1, message_id


def test_a_message_of_a_video_that_its_job_does_not_have_changes_nothing(stack: Stack) -> None:
    job_id = stack.index("PLgen-3-known-short")
    # The job is still active when this message comes.
    message = json.dumps({"job_id": job_id, "video_id": "never-listed"})
    stack.publish("videos", message.encode())
    stack.finish(job_id)
    later = stack.publish("videos", message.encode())
    stack.wait_for(lambda: f'"{later}"' in stack.log("delivery"), 60, "the message is delivered")
    assert stack.job(job_id)["counts"]["indexed"] == 3
    assert stack.job(job_id)["total"] == 3


def test_a_delivery_of_the_wrong_form_is_acked_and_its_answer_repeats_no_secret(stack: Stack) -> None:
    """As Eventarc sends it, and as Pub/Sub pushes it. Without a 2xx it would be delivered for ever."""
    components = stack.components()
    event = {
        "ce-source": "//pubsub.googleapis.com/projects/yts-local/topics/videos",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    }
    for function in ("planner", "fetcher", "indexer", "embedder", "dead_letters"):
        url = f"http://127.0.0.1:{components[function]['port']}/"
        for number, message in enumerate(DELIVERIES):
            body = {"message": message, "subscription": "projects/yts-local/subscriptions/x"}
            for headers in (event | {"ce-id": f"wrong-{function}-{number}"}, {}):
                secret = {"Authorization": "Bearer hunter2hunter2"}
                answer = requests.post(url, json=body, headers=headers | secret, timeout=30)
                assert answer.status_code == 200, (function, message, headers, answer.text)
                assert "hunter2" not in answer.text


# -- playlists and videos ----------------------------------------------------------------------------


def test_a_playlist_that_cannot_be_indexed_fails_its_job_with_a_reason(stack: Stack) -> None:
    stack.fake_youtube.define(playlists=[{"id": "PLempty", "title": "Empty", "videos": []}])
    jobs = {stack.index(playlist): error for playlist, error in PLAYLISTS}
    for job_id, error in jobs.items():
        job = stack.finish(job_id)
        assert (job["state"], bool(job["finished_at"])) == ("failed", True)
        assert error in job["error"], job


@pytest.mark.timeout(300)
def test_each_odd_video_reaches_its_state(stack: Stack) -> None:
    ids = {name: f"odd{number:08d}" for number, name in enumerate(VIDEOS)}
    for name, (fields, _) in VIDEOS.items():
        stack.fake_youtube.define(videos=[{"title": name, **fields, "id": ids[name]}])
    stack.fake_youtube.define(
        playlists=[{"id": "PLodd", "title": "\x00Odd\U0001f3ac", "videos": list(ids.values())}]
    )
    job_id = stack.index("PLodd")
    stack.finish(job_id, timeout=200)
    check(stack, job_id, ids.values())
    found = ledger(stack, job_id)
    states = {name: found[video_id]["state"] for name, video_id in ids.items()}
    assert states == {name: state for name, (_, state) in VIDEOS.items()}
    for video_id in ids.values():
        if found[video_id]["state"] == "indexed":
            answer = stack.get(f"/api/videos/{video_id}")
            assert answer.status_code == 200, answer.text


def test_after_each_broken_answer_youtube_is_asked_again(stack: Stack) -> None:
    playlist = f"PLgen-{len(ANSWERS)}-broken-short"
    videos = ids_of(playlist)
    stack.fake_youtube.reset("stats", "faults")
    for video_id, (kind, endpoint) in zip(videos, ANSWERS, strict=True):
        stack.fake_youtube.fault(kind, endpoints=[endpoint], videos=[video_id], times=1)
    job_id = stack.index(playlist)
    stack.finish(job_id)
    stack.fake_youtube.reset("faults")
    assert check(stack, job_id, videos)["counts"]["indexed"] == len(ANSWERS)
    assert set(asked(stack, videos).values()) == {2}
    assert stack.search(f'"{generate.phrase_of(videos[0]).text}"')["total"] == 1
