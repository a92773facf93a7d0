"""Bad input: a clear error or a recorded rejection each, and none is retried for ever."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from tests.stack import Stack

_EXPECTED = "Expected a playlist id"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "JSON object"),
        (b"{", "JSON object"),
        (b"\xff\xfe", "JSON object"),
        (b"[]", "JSON object"),
        (b'"PLx"', "JSON object"),
        (b"[" * 50_000, "JSON object"),
        (b"{}", _EXPECTED),
        (b'{"playlist": null}', _EXPECTED),
        (b'{"playlist": 7}', _EXPECTED),
        (b'{"playlist": ["PLx"]}', _EXPECTED),
        (b'{"playlist": ""}', _EXPECTED),
        (b'{"playlist": "   "}', _EXPECTED),
        (b'{"playlist": "hello world"}', _EXPECTED),
        (b'{"playlist": "../../etc/passwd"}', _EXPECTED),
        (b'{"playlist": "PL/../../secrets"}', _EXPECTED),
        (b'{"playlist": "PL\\u0000x"}', _EXPECTED),
        (b'{"playlist": "https://example.com/playlist?list=PLx"}', _EXPECTED),
        (b'{"playlist": "https://youtube.com.example.com/playlist?list=PLx"}', _EXPECTED),
        (b'{"playlist": "https://youtube.com@example.com/?list=PLx"}', _EXPECTED),
        (b'{"playlist": "javascript:alert(1)//youtube.com?list=PLx"}', _EXPECTED),
        (b'{"playlist": "https://www.youtube.com/watch?v=dQw4w9WgXcQ"}', "names no playlist"),
        (b'{"playlist": "https://www.youtube.com/playlist?list=no spaces"}', "no playlist id"),
        (b'{"playlist": "https://www.youtube.com/playlist?list="}', _EXPECTED),
        (b'{"playlist": "https://[::1/?list=PLx"}', _EXPECTED),
        (json.dumps({"playlist": "PL" + "x" * 60_000}).encode(), _EXPECTED),
    ],
)
def test_what_is_not_a_playlist_is_a_400_that_says_so(stack: Stack, body: bytes, detail: str) -> None:
    answer = stack.post("/api/index", data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert (problem["status"], problem["title"]) == (400, "Bad request")
    assert detail in problem["detail"]
    assert len(problem["detail"]) < 400


def test_a_body_beyond_all_measure_is_not_read(stack: Stack) -> None:
    answer = stack.post("/api/index", json={"playlist": "PLx", "padding": "x" * 70_000})
    assert (answer.status_code, answer.json()["detail"]) == (413, "Expected at most 65,536 bytes.")


@pytest.mark.parametrize(
    ("playlist", "error"),
    [
        ("PLnobody-knows-this", "knows no playlist"),
        ("PLother-evenings", "knows no playlist"),
        ("PLempty", "is empty"),
        ("WL", "Watch Later"),
        ("HL", "Watch Later"),
    ],
)
def test_a_playlist_that_cannot_be_indexed_ends_the_job_with_a_reason(
    stack: Stack, playlist: str, error: str
) -> None:
    stack.standin.define(playlists=[{"id": "PLempty", "title": "Empty", "videos": []}])
    job = stack.finish(stack.index(playlist))
    assert job["state"] == "failed"
    assert error in job["error"]
    assert job["finished_at"]


def _rejections(stack: Stack) -> list[dict[str, str]]:
    """What the pipeline has recorded as rejected; read from Firestore itself."""
    url = f"http://{stack.firestore}/v1/projects/yts-local/databases/(default)/documents/rejections"
    answer = requests.get(
        url, params={"pageSize": 300}, headers={"Authorization": "Bearer owner"}, timeout=30
    )
    answer.raise_for_status()
    return [
        {name: next(iter(value.values())) for name, value in document["fields"].items()}
        for document in answer.json().get("documents", [])
    ]


def _recorded(stack: Stack, source: str, data: str) -> dict[str, str]:
    found = stack.wait_for(
        lambda: [each for each in _rejections(stack) if (each["source"], each["data"]) == (source, data)],
        30,
        f"{data!r} is recorded as rejected by {source}",
    )
    return found[0]


@pytest.mark.parametrize(
    ("topic", "source"), [("playlists", "planner"), ("videos", "fetcher"), ("transcripts", "indexer")]
)
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"not json", "JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[1, 2]", "JSON object"),
        (b"{}", "to be an id"),
        (b'{"video_id": 7, "playlist_id": 7, "job_id": "x"}', "to be an id"),
        (b'{"video_id": "a/b", "playlist_id": "a/b", "job_id": "x"}', "to be an id"),
        (b'{"video_id": "", "playlist_id": "", "job_id": "x"}', "to be an id"),
    ],
)
def test_a_malformed_message_is_recorded_and_not_delivered_again(
    stack: Stack, topic: str, source: str, data: bytes, reason: str
) -> None:
    message_id = stack.publish(topic, data)
    found = _recorded(stack, source, data.decode("utf-8", "replace"))
    assert reason in found["reason"]
    deliveries = [line for line in stack.log("delivery").splitlines() if f'"{message_id}"' in line]
    assert len(deliveries) == 1, deliveries


def test_a_message_for_a_video_that_its_job_does_not_have(stack: Stack) -> None:
    job_id = stack.index("PLgen-3-known-short")
    # Slow enough that the job is still active when the message comes.
    message = json.dumps({"job_id": job_id, "video_id": "never-listed"})
    stack.publish("videos", message.encode())
    stack.finish(job_id)
    later = stack.publish("videos", message.encode())
    stack.wait_for(lambda: f'"{later}"' in stack.log("delivery"), 20, "it is delivered")
    assert stack.job(job_id)["counts"]["indexed"] == 3
    assert stack.job(job_id)["total"] == 3


@pytest.mark.parametrize("function", ["planner", "fetcher", "indexer", "dead_letters"])
@pytest.mark.parametrize(
    "message",
    [
        {"data": "%%% not base64 %%%"},
        {"data": 7},
        {"data": None},
        {"attributes": {"only": "attributes"}},
        {"data": base64.b64encode(b"{}").decode(), "attributes": [1]},
    ],
)
def test_a_delivery_of_the_wrong_form_is_acknowledged(
    stack: Stack, function: str, message: dict[str, Any]
) -> None:
    """As Eventarc sends it; a 2xx is what keeps Pub/Sub from sending it for ever."""
    port = stack.components()[function]["port"]
    headers = {
        "ce-id": f"wrong-{function}-{len(json.dumps(message))}",
        "ce-source": "//pubsub.googleapis.com/projects/yts-local/topics/videos",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    }
    body = {"message": message, "subscription": "projects/yts-local/subscriptions/x"}
    answer = requests.post(f"http://127.0.0.1:{port}/", json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text
