"""Publishing: what is not published raises."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient

from shared import clients, config, topics
from shared.errors import Transient
from shared.messages import VideoMessage

#: Untyped.
api: Any = exceptions

Sent = list[tuple[str, Sequence[dict[str, Any]], dict[str, Any]]]
#: Called with the topic's path for each request; may raise.
Answer = Callable[[str], None]
MESSAGES = [VideoMessage("j", "a"), VideoMessage("j", "b", 2)]


class _Client:
    def topic_path(self, project: str, topic: str) -> str:
        return f"projects/{project}/topics/{topic}"


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sent]:
    """A Pub/Sub that answers each request as told; what it was sent."""
    monkeypatch.setattr(clients, "publisher", _Client)

    def install(answer: Answer = lambda path: None) -> Sent:
        sent: Sent = []

        def publish(client: Any, *, topic: str, messages: Sequence[dict[str, Any]], **rest: Any) -> None:
            sent.append((topic.rsplit("/", 1)[1], messages, rest))
            answer(topic)

        monkeypatch.setattr(PublisherClient, "publish", publish)
        return sent

    return install


def test_all_go_in_one_request_with_a_timeout(pubsub: Callable[..., Sent]) -> None:
    sent = pubsub()
    topics.publish("videos", MESSAGES)
    ((topic, messages, rest),) = sent
    assert topic == "videos"
    assert messages == [{"data": message.encode()} for message in MESSAGES]
    assert 0 < rest["timeout"] <= topics.TIMEOUT


def test_a_path_is_of_our_project(pubsub: Callable[..., Sent]) -> None:
    paths: list[str] = []
    pubsub(paths.append)
    topics.publish("videos", MESSAGES)
    assert paths == [f"projects/{config.load().google_cloud_project}/topics/videos"]


def test_many_go_in_requests_of_bounded_size(pubsub: Callable[..., Sent]) -> None:
    sent = pubsub()
    many = [VideoMessage("j", str(number)) for number in range(1201)]
    topics.publish("videos", many)
    assert [len(messages) for _, messages, _ in sent] == [500, 500, 201]
    assert [each["data"] for _, messages, _ in sent for each in messages] == [each.encode() for each in many]


@pytest.mark.parametrize(
    "outcome",
    [
        api.ServiceUnavailable("no"),
        api.DeadlineExceeded("late"),
        api.RetryError("gave up", None),
        api.NotFound("no such topic"),
    ],
    ids=str,
)
def test_what_is_not_taken_is_an_error(outcome: Exception, pubsub: Callable[..., Sent]) -> None:
    def refuse(path: str) -> None:
        raise outcome

    pubsub(refuse)
    with pytest.raises(Transient, match="Pub/Sub did not take messages on videos"):
        topics.publish("videos", MESSAGES)
    with pytest.raises(Transient, match="Pub/Sub did not take messages on dead-letters"):
        topics.reject(b"", source="fetcher", message_id="m", published="2024", reason="no")


def test_what_threads_publish_at_once_goes_together_and_an_error_is_of_its_own_topic(
    pubsub: Callable[..., Sent],
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def answer(path: str) -> None:
        if path.endswith("/playlists"):
            begun.set()
            assert go_on.wait(10)
        if path.endswith("/transcripts"):
            raise api.ServiceUnavailable("no")

    sent = pubsub(answer)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(topics.publish, "playlists", MESSAGES[:1])
        assert begun.wait(10)
        videos = [pool.submit(topics.publish, "videos", [message]) for message in MESSAGES]
        transcripts = [pool.submit(topics.publish, "transcripts", [message]) for message in MESSAGES]
        pause = threading.Event()
        while len(topics._publish_together._waiting) < 4:
            pause.wait(0.001)
        go_on.set()
    first.result()
    assert [future.result() for future in videos] == [None, None]
    assert [type(future.exception()) for future in transcripts] == [Transient, Transient]
    together = {topic: sorted(each["data"] for each in messages) for topic, messages, _ in sent[1:]}
    both = sorted(message.encode() for message in MESSAGES)
    assert together == {"videos": both, "transcripts": both}


def test_all_requests_of_one_call_have_one_time(
    pubsub: Callable[..., Sent], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]

    def slow(path: str) -> None:
        clock[0] += 5

    sent = pubsub(slow)
    monkeypatch.setattr(topics, "monotonic", lambda: clock[0])
    with pytest.raises(Transient, match="Pub/Sub did not take messages on videos within 8 s"):
        topics.publish("videos", [VideoMessage("j", str(number)) for number in range(1201)])
    assert [rest["timeout"] for _, _, rest in sent] == [8.0, 3.0]


def test_nothing_to_publish_is_no_error(pubsub: Callable[..., Sent]) -> None:
    sent = pubsub()
    topics.publish("videos", [])
    assert sent == []


def test_a_rejection_says_where_and_why_within_what_an_attribute_holds(pubsub: Callable[..., Sent]) -> None:
    sent = pubsub()
    topics.reject(b"\xff", source="fetcher", message_id="m", published="2024", reason="界" * 1000)
    ((topic, (message,), _),) = sent
    assert topic == "dead-letters"
    assert message["data"] == b"\xff"
    about = message["attributes"]
    assert (about["source"], about["message_id"], about["published"]) == ("fetcher", "m", "2024")
    assert 0 < len(about["reason"].encode()) <= 1024
