"""Publishing: what is not published raises, and nothing is left unawaited."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from google.api_core import exceptions

from shared import clients, config, topics
from shared.errors import Transient
from shared.messages import VideoMessage

#: Untyped.
api: Any = exceptions


class _Publisher:
    """Answers each message with the next of ``outcomes``: an id, an exception, or None for never."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes, self.sent = list(outcomes), list[tuple[str, bytes, dict[str, Any]]]()

    def topic_path(self, project: str, topic: str) -> str:
        return f"projects/{project}/topics/{topic}"

    def publish(self, path: str, data: bytes, **rest: Any) -> Future[str]:
        self.sent.append((path, data, rest))
        outcome = self.outcomes[len(self.sent) - 1]
        future: Future[str] = Future()
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        elif outcome is not None:
            future.set_result(outcome)
        return future


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(topics, "TIMEOUT", 0.05)

    def install(*outcomes: Any) -> _Publisher:
        made = _Publisher(*outcomes)
        monkeypatch.setattr(clients, "publisher", lambda: made)
        return made

    return install


MESSAGES = [VideoMessage("j", "a"), VideoMessage("j", "b", 2)]


def test_all_are_published_with_a_timeout_each(publisher: Any) -> None:
    made = publisher("1", "2")
    topics.publish("videos", MESSAGES)
    project = config.load().google_cloud_project
    assert [(path, data) for path, data, _ in made.sent] == [
        (f"projects/{project}/topics/videos", message.encode()) for message in MESSAGES
    ]
    assert all(rest["timeout"] == 0.05 for _, _, rest in made.sent)


@pytest.mark.parametrize(
    "outcome",
    [
        None,
        api.ServiceUnavailable("no"),
        api.DeadlineExceeded("late"),
        api.RetryError("gave up", None),
        api.NotFound("no such topic"),
    ],
    ids=str,
)
@pytest.mark.parametrize("place", [0, 1])
def test_one_that_is_not_taken_is_an_error(outcome: Any, place: int, publisher: Any) -> None:
    outcomes = ["1", "2"]
    outcomes[place] = outcome
    publisher(*outcomes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(topics, "wait", lambda futures, timeout: _wait(futures))
        with pytest.raises(Transient, match="Pub/Sub did not take a message on videos"):
            topics.publish("videos", MESSAGES)


def _wait(futures: list[Future[str]]) -> tuple[set[Future[str]], set[Future[str]]]:
    """As if the time were over."""
    done = {future for future in futures if future.done()}
    return done, set(futures) - done


def test_nothing_to_publish_is_no_error(publisher: Any) -> None:
    made = publisher()
    topics.publish("videos", [])
    assert made.sent == []


def test_a_rejection_says_where_and_why_within_what_an_attribute_holds(publisher: Any) -> None:
    made = publisher("1")
    topics.reject(b"\xff", source="fetcher", message_id="m", published="2024", reason="界" * 1000)
    ((path, data, rest),) = made.sent
    assert path.endswith("/topics/dead-letters")
    assert data == b"\xff"
    assert (rest["source"], rest["message_id"], rest["published"]) == ("fetcher", "m", "2024")
    assert 0 < len(rest["reason"].encode()) <= 1024
