"""Pub/Sub: publishing raises when a message is not published."""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
from google.api_core import exceptions
from google.pubsub_v1 import PublisherClient, PublishRequest, PublishResponse

from shared.config import Config
from shared.errors import Transient
from shared.gcp.pubsub import MAXIMUM_MESSAGES, TIMEOUT, Topics
from shared.messages import VideoMessage

#: Untyped.
api: Any = exceptions

#: Topic, messages and the other arguments of each request.
Sent = list[tuple[str, list[Any], dict[str, Any]]]
#: Called with the topic's path for each request; may raise.
Answer = Callable[[str], object]
MESSAGES = [VideoMessage("j", "a"), VideoMessage("j", "b", 2)]


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sent]:
    """The real client. Only its requests go to a Pub/Sub that answers as it is told."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:1")

    def install(answer: Answer = lambda path: None) -> Sent:
        sent: Sent = []

        def publish(client: Any, request: PublishRequest, **rest: Any) -> PublishResponse:
            sent.append((request.topic.rsplit("/", 1)[1], list(request.messages), rest))
            answer(request.topic)
            return PublishResponse(message_ids=[str(number) for number in range(len(request.messages))])

        monkeypatch.setattr(PublisherClient, "publish", publish)
        return sent

    return install


@pytest.fixture
def topics() -> Topics:
    return Topics(Config())


def test_the_messages_of_one_call_go_in_one_request_with_a_timeout(
    pubsub: Callable[..., Sent], topics: Topics
) -> None:
    sent = pubsub()
    topics.publish("videos", MESSAGES)
    ((topic, messages, rest),) = sent
    assert topic == "videos"
    assert [each.data for each in messages] == [each.encode() for each in MESSAGES]
    assert rest["timeout"] == TIMEOUT
    assert rest["retry"].timeout == TIMEOUT


def test_a_path_is_of_our_project(pubsub: Callable[..., Sent], topics: Topics) -> None:
    paths: list[str] = []
    pubsub(paths.append)
    topics.publish("videos", MESSAGES)
    assert paths == [f"projects/{Config().google_cloud_project}/topics/videos"]


def test_no_request_has_more_messages_than_pubsub_takes(pubsub: Callable[..., Sent], topics: Topics) -> None:
    sent = pubsub()
    many = [VideoMessage("j", str(number)) for number in range(2 * MAXIMUM_MESSAGES + 1)]
    topics.publish("videos", many)
    assert [len(messages) for _, messages, _ in sent] == [MAXIMUM_MESSAGES, MAXIMUM_MESSAGES, 1]
    assert [each.data for _, messages, _ in sent for each in messages] == [each.encode() for each in many]


@pytest.mark.parametrize(
    "outcome",
    [
        api.ServiceUnavailable("no"),
        api.DeadlineExceeded("late"),
        api.RetryError("gave up", None),
        api.NotFound("no such topic"),
        api.InvalidArgument("the message is too large"),
    ],
    ids=str,
)
def test_a_message_that_is_refused_raises(
    outcome: Exception, pubsub: Callable[..., Sent], topics: Topics
) -> None:
    def refuse(path: str) -> None:
        raise outcome

    pubsub(refuse)
    with pytest.raises(Transient) as raised:
        topics.publish("videos", MESSAGES)
    assert str(raised.value) == "The work could not be queued."
    assert raised.value.detail == f"Pub/Sub did not take messages on videos: {outcome}"
    with pytest.raises(Transient) as raised:
        topics.reject(b"", source="fetcher", message_id="m", published="2024", reason="no")
    assert raised.value.detail == f"Pub/Sub did not take messages on dead-letters: {outcome}"


def test_one_refused_request_of_several_raises(pubsub: Callable[..., Sent], topics: Topics) -> None:
    requests = iter(range(100))

    def refuse_the_second(path: str) -> None:
        if next(requests) == 1:
            raise api.ServiceUnavailable("no")

    pubsub(refuse_the_second)
    with pytest.raises(Transient):
        topics.publish("videos", [MESSAGES[0]] * (2 * MAXIMUM_MESSAGES))


def test_a_hung_pubsub_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        began = monotonic()
        with pytest.raises(Transient) as raised:
            Topics(Config(), timeout=0.2).publish("videos", MESSAGES)
        assert monotonic() - began < 10
    assert str(raised.value) == "The work could not be queued."


def test_nothing_to_publish_is_no_error(pubsub: Callable[..., Sent], topics: Topics) -> None:
    sent = pubsub()
    topics.publish("videos", [])
    assert sent == []


@pytest.mark.parametrize(
    "text", ["x" * 5000, "é" * 700, "界" * 1000, "x" + "🌍" * 400, "a\ud800" * 900, "", "m"]
)
@pytest.mark.parametrize("name", ["source", "message_id", "published", "reason"])
def test_a_rejection_says_where_and_why_within_what_an_attribute_holds(
    name: str, text: str, pubsub: Callable[..., Sent], topics: Topics
) -> None:
    """Pub/Sub refuses a longer one, and the message would come again for ever."""
    sent = pubsub()
    about = {"source": "fetcher", "message_id": "m", "published": "2024", "reason": "no"}
    topics.reject(b"\xff", **(about | {name: text}))
    ((topic, (message,), _),) = sent
    assert topic == "dead-letters"
    assert message.data == b"\xff"
    found = dict(message.attributes)
    cut = found.pop(name)
    assert found == {each: value for each, value in about.items() if each != name}
    whole = text.replace("\ud800", "?")
    assert whole.startswith(cut)
    # As much as fits: at most three bytes of a character that is cut off are missing.
    assert min(len(whole.encode()), 1021) <= len(cut.encode()) <= 1024


def test_of_a_body_that_pubsub_would_refuse_the_beginning_is_kept(
    pubsub: Callable[..., Sent], topics: Topics
) -> None:
    sent = pubsub()
    topics.reject(b"[" * 32_000_000, source="fetcher", message_id="m", published="", reason="no")
    ((_, (message,), _),) = sent
    assert 2000 < len(message.data) < 1_000_000
    assert set(message.data) == {ord("[")}
