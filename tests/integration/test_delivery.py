"""The local delivery against the real Pub/Sub emulator."""

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
from tests.integration.delivery_support import Delivery, Emulator, Function, Request, wait_until

PIPELINE = """
topics: [ones, twos, threes, given-up]
dead_letter_topic: given-up
subscriptions:
  first: &policy
    topic: ones
    ack_deadline_seconds: 10
    minimum_backoff_seconds: 1
    maximum_backoff_seconds: 2
    max_delivery_attempts: 5
    local_concurrency: 3
  second: {<<: *policy, topic: ones, local_concurrency: 8}
  third: {<<: *policy, topic: twos}
  # A backoff longer than the deadline.
  patient: {<<: *policy, topic: threes, minimum_backoff_seconds: 11, maximum_backoff_seconds: 11}
  buried: {<<: *policy, topic: given-up, max_delivery_attempts: null}
functions:
  first: &function {trigger: pubsub, memory_mb: 256, timeout_seconds: 10}
  second: *function
  third: *function
  patient: *function
  buried: *function
schedules: {}
"""

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
    """Empty, but for the topics and subscriptions."""
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
    """A function that takes its time."""

    def behave(request: Request) -> int:
        time.sleep(seconds)
        return 200

    return behave


def test_a_request_leaves_a_trace_once_it_is_answered(
    emulator: Emulator, start: Start, function: Make
) -> None:
    first = function()
    delivery = start(first=first)
    first.behave = lambda request: 500 if delivery.changes.exists() else 204
    emulator.publish("ones", {"data": "changes something"})
    wait_until(delivery.changes.exists)
    wait_until(lambda: [line["status"] for line in delivery.lines() if "status" in line] == [204])


def test_every_subscription_of_a_topic_gets_what_eventarc_would_send(
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


def test_many_messages_each_once_and_never_more_at_a_time_than_allowed(
    emulator: Emulator, start: Start, function: Make
) -> None:
    first, second = function(after(0.02)), function(after(0.02))
    emulator.publish("ones", *({"data": str(number)} for number in range(600)))
    start(first=first, second=second)
    wait_until(lambda: len(first.requests) >= 600 and len(second.requests) >= 600, 60)
    assert Counter(first.texts()) == Counter(str(number) for number in range(600))
    assert Counter(second.texts()) == Counter(str(number) for number in range(600))
    assert (first.most_at_once, second.most_at_once) == (3, 8)


def test_given_back_comes_again_with_backoff_and_ends_in_the_dead_letters(
    emulator: Emulator, start: Start, function: Make
) -> None:
    # Several, because the emulator's backoff goes wrong for messages that come back together.
    first = function(lambda request: 503)
    buried = function()
    start(first=first, buried=buried)
    emulator.publish("ones", *({"data": f"poison {number}"} for number in range(5)))
    wait_until(lambda: len(buried.requests) >= 5, 60)
    for number in range(5):
        tries = [request for request in first.requests if request.text == f"poison {number}"]
        assert [request.attempt for request in tries] == [1, 2, 3, 4, 5]
        # The emulator delivers the second time at once; the service waits there too.
        pauses = [later.at - earlier.at for earlier, later in pairwise(tries[1:])]
        assert min(pauses) > 0.9
    attributes = buried.requests[0].body["message"]["attributes"]
    assert attributes["CloudPubSubDeadLetterSourceSubscription"] == "first"
    assert sorted(buried.texts()) == [f"poison {number}" for number in range(5)]


def test_a_backoff_may_be_longer_than_the_deadline(emulator: Emulator, start: Start, function: Make) -> None:
    patient = function(lambda request: 200 if request.attempt == 4 else 503)
    delivery = start(patient=patient)
    emulator.publish("threes", *({"data": str(number)} for number in range(5)))
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 5, 40)
    assert Counter(request.attempt for request in patient.requests) == {1: 5, 2: 5, 3: 5, 4: 5}


def test_a_lease_is_kept_while_a_function_works(emulator: Emulator, start: Start, function: Make) -> None:
    slow = function(after(8))
    delivery = start(third=slow)
    # Three at a time: the last wait for their turn longer than the deadline of ten seconds.
    emulator.publish("twos", *({"data": str(number)} for number in range(4)))
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 4, 60)
    assert Counter(slow.texts()) == Counter("0123")


def test_no_answer_in_time_gives_back(emulator: Emulator, start: Start, function: Make) -> None:
    release = threading.Event()
    hanging = function(lambda request: 200 if request.attempt > 1 else (release.wait(30), 200)[1])
    delivery = start(third=hanging)
    emulator.publish("twos", {"data": "x"})
    wait_until(lambda: len(hanging.requests) == 2, 30)
    release.set()
    pause = hanging.requests[1].at - hanging.requests[0].at
    assert 9.5 < pause < 13
    wait_until(lambda: [line["status"] for line in delivery.lines() if "status" in line] == [None, 200])
    assert "no answer within 10 s" in delivery.log_text()


def test_a_function_that_is_not_there_for_a_while_costs_few_attempts(
    emulator: Emulator, start: Start, function: Make
) -> None:
    gone = Function()
    gone.close()
    delivery = start(third=gone)
    emulator.publish("twos", *({"data": str(number)} for number in range(50)))
    wait_until(lambda: delivery.log_text().count("nobody answers") >= 8, 30)
    back = function(port=gone.port)
    wait_until(lambda: len(back.requests) >= 50, 30)
    assert Counter(back.texts()) == Counter(str(number) for number in range(50))
    assert max(request.attempt for request in back.requests) <= 4


def test_after_kill_9_messages_come_again_soon_and_go_on_being_redelivered(
    emulator: Emulator, start: Start, function: Make
) -> None:
    hold = threading.Event()

    def work(request: Request) -> int:
        if request.text == "held":
            hold.wait(60)
            return 200
        return 200 if request.attempt == 4 else 503

    third = function(work)
    # More than once: the emulator survives the first time that leases end unattended.
    for life in (1, 2, 3):
        delivery = start(third=third)
        if life == 1:
            emulator.publish("twos", *({"data": "held"} for _ in range(3)))
        expected = 3 * life
        wait_until(lambda: len(third.requests) == expected, 5)  # noqa: B023
        delivery.send(signal.SIGKILL)
    hold.set()
    killed = time.monotonic()
    start(third=third)
    wait_until(lambda: len(third.requests) == 12)
    assert third.requests[-1].at - killed < 5
    emulator.publish("twos", {"data": "later"})
    wait_until(lambda: third.texts().count("later") == 4, 20)
    assert emulator.retry_policy("third") == {"minimumBackoff": "1s", "maximumBackoff": "2s"}


def test_a_clean_stop_gives_back_what_is_held(emulator: Emulator, start: Start, function: Make) -> None:
    hold = threading.Event()
    third = function(lambda request: (hold.wait(60), 200)[1])
    delivery = start(third=third)
    emulator.publish("twos", *({"data": str(number)} for number in range(4)))
    wait_until(lambda: len(third.requests) == 3)
    began = time.monotonic()
    assert delivery.send(signal.SIGTERM) == 0
    assert time.monotonic() - began < 8
    assert "stopped" in delivery.log_text()
    hold.set()
    third.requests.clear()
    start(third=third)
    wait_until(lambda: len(third.requests) == 4)


def test_a_clean_stop_lets_a_quick_function_finish(emulator: Emulator, start: Start, function: Make) -> None:
    third = function(after(1))
    delivery = start(third=third)
    emulator.publish("twos", {"data": "x"})
    wait_until(lambda: third.requests)
    delivery.send(signal.SIGTERM)
    start(third=third)
    emulator.publish("twos", {"data": "y"})
    wait_until(lambda: len(third.requests) >= 2)
    assert third.texts() == ["x", "y"]


# The old requests last until the new emulator has started, which takes ten seconds on a busy machine.
@pytest.mark.parametrize("deadline", [120])
def test_the_emulator_may_be_started_again(
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
    # The leases of the new ones have the same numbers, in the new emulator, as the old ones had: the
    # end of the old ones must not acknowledge the new ones, which fail and are to come again.
    old.set()
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 2)
    new.set()
    wait_until(lambda: sum(line.get("status") == 200 for line in delivery.lines()) == 5)
    attempts = Counter(request.attempt for request in third.requests if request.text == "new")
    assert attempts == {1: 3, 2: 3}
    assert delivery.is_ready()
