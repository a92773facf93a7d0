"""The local delivery of messages, with the real Pub/Sub emulator."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from infra.local.servers.tools import Missing
from infra.pipeline import Pipeline, load_pipeline
from shared import config
from tests.integration.delivery_support import PIPELINE, Delivery, Emulator, Function, Request, wait_until

_DEADLINE = 10
Start = Callable[..., Delivery]


@pytest.fixture(scope="module")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    try:
        emulator = Emulator(tmp_path_factory.mktemp("pubsub"))
    except Missing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))
    emulator.start()
    yield emulator
    emulator.kill()


@pytest.fixture
def deadline() -> int:
    """Seconds that a function has to answer in."""
    return _DEADLINE


@pytest.fixture
def pipeline_file(tmp_path: Path, deadline: int) -> Path:
    file = tmp_path / "pipeline.yaml"
    file.write_text(
        PIPELINE.replace(f"ack_deadline_seconds: {_DEADLINE}", f"ack_deadline_seconds: {deadline}")
    )
    return file


@pytest.fixture
def pipeline(pipeline_file: Path) -> Pipeline:
    return load_pipeline(config.Config.from_env({}), pipeline_file)


@pytest.fixture
def emulator(running_emulator: Emulator, pipeline: Pipeline) -> Emulator:
    """The emulator with our topics and subscriptions, and no messages."""
    running_emulator.kill()
    running_emulator.start()
    running_emulator.create(pipeline)
    return running_emulator


@pytest.fixture
def start(emulator: Emulator, pipeline_file: Path) -> Iterator[Start]:
    started: list[Delivery] = []

    def start(**functions: Function) -> Delivery:
        urls = {name: function.url for name, function in functions.items()}
        delivery = Delivery(emulator, pipeline_file, urls)
        started.append(delivery)
        wait_until(delivery.is_ready, 30)
        return delivery

    yield start
    for delivery in started:
        delivery.send(signal.SIGKILL)


@pytest.fixture
def function() -> Iterator[Callable[..., Function]]:
    made: list[Function] = []

    def make(behave: Callable[[Request], int] = lambda request: 204, port: int = 0) -> Function:
        made.append(Function(behave, port))
        return made[-1]

    yield make
    for function in made:
        function.close()


Make = Callable[..., Function]


def after(seconds: float) -> Callable[[Request], int]:
    """The behaviour of a function that answers after so many seconds."""

    def behave(request: Request) -> int:
        time.sleep(seconds)
        return 200

    return behave


def test_the_delivery_notes_that_something_may_have_changed_when_a_request_is_answered(
    emulator: Emulator, start: Start, function: Make
) -> None:
    first = function()
    delivery = start(first=first)
    first.behave = lambda request: 500 if delivery.changes.exists() else 204
    emulator.publish("ones", {"data": "changes something"})
    wait_until(delivery.changes.exists)
    wait_until(lambda: [line["status"] for line in delivery.lines() if "status" in line] == [204])


def test_every_subscription_of_a_topic_gets_a_message_as_eventarc_sends_it(
    emulator: Emulator, start: Start, function: Make
) -> None:
    first, second, third = function(), function(), function()
    delivery = start(first=first, second=second, third=third)
    (message_id,) = emulator.publish("ones", {"data": '{"é": 1}', "attributes": {"a": "b"}})
    emulator.publish("twos", {"attributes": {"only": "attributes"}})
    wait_until(lambda: first.requests and second.requests and third.requests)

    (request,) = first.requests
    published = request.body["message"]["publishTime"]
    assert request.body == {
        "message": {
            "data": "eyLDqSI6IDF9",
            "attributes": {"a": "b"},
            "messageId": message_id,
            "message_id": message_id,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": "projects/yts-test/subscriptions/first",
        "deliveryAttempt": 1,
    }
    expected = {
        "ce-id": message_id,
        "ce-source": "//pubsub.googleapis.com/projects/yts-test/topics/ones",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        "ce-time": published,
        "content-type": "application/json",
    }
    assert request.headers | expected == request.headers
    assert second.requests[0].body["subscription"] == "projects/yts-test/subscriptions/second"
    assert "data" not in third.requests[0].body["message"]
    wait_until(lambda: sum(line.get("status") == 204 for line in delivery.lines()) == 3)
    line = next(line for line in delivery.lines() if line.get("function") == "first" and "status" in line)
    assert (line["message_id"], line["attempt"], line["status"]) == (message_id, 1, 204)
    assert line["ms"] >= 0


def test_each_of_many_messages_is_delivered_once_and_few_at_the_same_time(
    emulator: Emulator, start: Start, function: Make
) -> None:
    first, second = function(after(0.02)), function(after(0.02))
    emulator.publish("ones", *({"data": str(number)} for number in range(600)))
    start(first=first, second=second)
    wait_until(lambda: len(first.requests) >= 600 and len(second.requests) >= 600, 60)
    assert Counter(first.texts()) == Counter(str(number) for number in range(600))
    assert Counter(second.texts()) == Counter(str(number) for number in range(600))
    assert (first.most_at_once, second.most_at_once) == (3, 8)


def test_a_message_that_is_always_nacked_comes_again_with_backoff_and_becomes_a_dead_letter(
    emulator: Emulator, start: Start, function: Make
) -> None:
    # Several messages, because the emulator's backoff is wrong for messages that are nacked together.
    first = function(lambda request: 503)
    buried = function()
    start(first=first, buried=buried)
    emulator.publish("ones", *({"data": f"poison {number}"} for number in range(5)))
    wait_until(lambda: len(buried.requests) >= 5, 60)
    for number in range(5):
        tries = [request for request in first.requests if request.text == f"poison {number}"]
        assert [request.attempt for request in tries] == [1, 2, 3, 4, 5]
        # The emulator makes the second delivery at once. The service waits before that one, too.
        pauses = [later.at - earlier.at for earlier, later in pairwise(tries[1:])]
        assert min(pauses) > 0.9
    attributes = buried.requests[0].body["message"]["attributes"]
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "first"
    assert sorted(buried.texts()) == [f"poison {number}" for number in range(5)]


def test_a_backoff_may_be_longer_than_the_ack_deadline(
    emulator: Emulator, start: Start, function: Make
) -> None:
    patient = function(lambda request: 200 if request.attempt == 4 else 503)
    delivery = start(patient=patient)
    emulator.publish("threes", *({"data": str(number)} for number in range(5)))
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 5, 40)
    assert Counter(request.attempt for request in patient.requests) == {1: 5, 2: 5, 3: 5, 4: 5}


def test_a_lease_is_extended_while_a_function_works(emulator: Emulator, start: Start, function: Make) -> None:
    slow = function(after(8))
    delivery = start(third=slow)
    # Three run at a time, so the last one waits longer for its turn than the ack deadline.
    emulator.publish("twos", *({"data": str(number)} for number in range(4)))
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 4, 60)
    assert Counter(slow.texts()) == Counter("0123")


def test_a_message_is_nacked_if_the_function_does_not_answer_in_time(
    emulator: Emulator, start: Start, function: Make
) -> None:
    release = threading.Event()
    hanging = function(lambda request: 200 if request.attempt > 1 else (release.wait(30), 200)[1])
    delivery = start(third=hanging)
    emulator.publish("twos", {"data": "x"})
    wait_until(lambda: len(hanging.requests) == 2, 30)
    release.set()
    pause = hanging.requests[1].at - hanging.requests[0].at
    # A second later, and long before the function gives up.
    assert 9.5 < pause < 25
    wait_until(lambda: [line["status"] for line in delivery.lines() if "status" in line] == [None, 200])
    assert "no answer within 10 s" in delivery.log_text()


def test_a_function_that_is_down_for_a_while_uses_up_few_attempts(
    emulator: Emulator, start: Start, function: Make
) -> None:
    down = Function()
    down.close()
    delivery = start(third=down)
    emulator.publish("twos", *({"data": str(number)} for number in range(50)))
    wait_until(lambda: delivery.log_text().count("nobody answers") >= 8, 30)
    up = function(port=down.port)
    wait_until(lambda: len(up.requests) >= 50, 30)
    assert Counter(up.texts()) == Counter(str(number) for number in range(50))
    assert max(request.attempt for request in up.requests) <= 4


# Messages that come within 30 s come before their leases run out.
@pytest.mark.parametrize("deadline", [60])
def test_after_kill_9_of_the_delivery_messages_come_again_soon_and_retries_go_on(
    emulator: Emulator, start: Start, function: Make
) -> None:
    hold = threading.Event()

    def work(request: Request) -> int:
        if request.text == "held":
            hold.wait(60)
            return 200
        return 200 if request.attempt == 4 else 503

    third = function(work)
    # More than once, because the emulator survives the first time that leases run out.
    for life in (1, 2, 3):
        delivery = start(third=third)
        if life == 1:
            emulator.publish("twos", *({"data": "held"} for _ in range(3)))
        expected = 3 * life
        wait_until(lambda: len(third.requests) == expected, 30)  # noqa: B023
        delivery.send(signal.SIGKILL)
    hold.set()
    start(third=third)
    wait_until(lambda: len(third.requests) == 12, 30)
    emulator.publish("twos", {"data": "later"})
    wait_until(lambda: third.texts().count("later") == 4, 20)
    assert emulator.retry_policy("third") == {"minimumBackoff": "1s", "maximumBackoff": "2s"}


# A stop that waited for the function would take longer than the test allows.
@pytest.mark.parametrize("deadline", [60])
def test_a_clean_stop_nacks_the_messages_that_are_held(
    emulator: Emulator, start: Start, function: Make
) -> None:
    hold = threading.Event()
    third = function(lambda request: (hold.wait(60), 200)[1])
    delivery = start(third=third)
    emulator.publish("twos", *({"data": str(number)} for number in range(4)))
    wait_until(lambda: len(third.requests) == 3)
    assert delivery.send(signal.SIGTERM) == 0
    assert "stopped" in delivery.log_text()
    hold.set()
    third.requests.clear()
    start(third=third)
    wait_until(lambda: len(third.requests) == 4)


def test_a_clean_stop_waits_for_a_function_that_is_nearly_done(
    emulator: Emulator, start: Start, function: Make
) -> None:
    third = function(after(1))
    delivery = start(third=third)
    emulator.publish("twos", {"data": "x"})
    wait_until(lambda: third.requests)
    delivery.send(signal.SIGTERM)
    start(third=third)
    emulator.publish("twos", {"data": "y"})
    wait_until(lambda: len(third.requests) >= 2)
    assert third.texts() == ["x", "y"]


# The old requests last until the new emulator has started. On a busy machine that takes ten seconds.
@pytest.mark.parametrize("deadline", [120])
def test_delivery_goes_on_when_the_emulator_was_started_again(
    emulator: Emulator, pipeline: Pipeline, start: Start, function: Make
) -> None:
    old, new = threading.Event(), threading.Event()

    def work(request: Request) -> int:
        if request.text == "old":
            return 200 if old.wait(120) else 500
        new.wait(60)
        return 200 if request.attempt == 2 else 503

    third = function(work)
    delivery = start(third=third)
    emulator.publish("twos", *({"data": "old"} for _ in range(2)))
    wait_until(lambda: len(third.requests) == 2)
    emulator.kill()
    wait_until(lambda: not delivery.is_ready())
    emulator.start()
    emulator.create(pipeline)
    emulator.publish("twos", *({"data": "new"} for _ in range(3)))
    wait_until(lambda: "new" in third.texts())
    # The new emulator gives new leases the numbers that old ones had. When the old requests end, they must
    # not ack the new messages, which fail once and have to come again.
    old.set()
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 2)
    new.set()
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 5)
    attempts = Counter(request.attempt for request in third.requests if request.text == "new")
    assert attempts == {1: 3, 2: 3}
    assert delivery.is_ready()
