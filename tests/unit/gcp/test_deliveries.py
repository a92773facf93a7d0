"""Deliveries: golden request bodies through the real functions, and the answer to each."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pipeline import load_pipeline
from shared.config import Config
from shared.errors import Malformed, Transient
from shared.gcp.deliveries import Delivery
from shared.messages import PassagesMessage, PlaylistMessage, VideoMessage
from tests.unit.functions import json_logs, load

DATA = Path(__file__).resolve().parents[2] / "data" / "events"
GOLDEN = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}

#: For each function that Pub/Sub triggers: the method of its use case, and a message that it understands.
FUNCTIONS: dict[str, tuple[str, bytes]] = {
    "planner": ("plan", b'{"playlist_id":"PLx"}'),
    "fetcher": ("fetch", b'{"job_id":"j","video_id":"v"}'),
    "indexer": ("index", b'{"job_id":"j","video_id":"v"}'),
    "embedder": ("embed", b'{"video_id":"v"}'),
    "dead_letters": ("settle", b'{"job_id":"j","video_id":"v"}'),
}
CE = {
    "ce-id": "17",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/videos",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "content-type": "application/json",
}


class Run:
    """A function whose use case and dead letters are recorded.

    ``raises``: what the use case raises. ``publish_fails``: dead letters cannot be published.
    """

    def __init__(self, name: str) -> None:
        method, self.message = FUNCTIONS[name]
        self.handled: list[Any] = []
        self.rejected: list[dict[str, Any]] = []
        self.raises: BaseException | None = None
        self.publish_fails = False
        self.web, main = load(name)
        main.use_case = SimpleNamespace(**{method: self._handle})
        main.topics.reject = self._reject

    def _handle(self, *arguments: Any) -> None:
        self.handled.append(arguments)
        if self.raises:
            raise self.raises

    def _reject(self, data: bytes, **about: str) -> None:
        if self.publish_fails:
            raise Transient("The work could not be queued.")
        self.rejected.append({"data": data, **about})

    def post(self, data: bytes, **message: Any) -> Any:
        body = {"message": {"data": base64.b64encode(data).decode(), "messageId": "m-1", **message}}
        return self.web.post("/", headers=CE, data=json.dumps(body))


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    with json_logs():
        yield capsys


def test_the_table_has_every_function_that_pubsub_triggers() -> None:
    pipeline = load_pipeline(Config())
    assert set(FUNCTIONS) == {each.name for each in pipeline.functions if each.trigger == "pubsub"}
    assert len(GOLDEN) >= 15


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str) -> None:
    golden = GOLDEN[name]
    fetcher = Run("fetcher")
    body = golden["body"]
    answer = fetcher.web.post(
        golden.get("path", "/"),
        headers=golden["headers"],
        data=body if isinstance(body, str) else json.dumps(body),
    )
    expected = golden["expect"]
    assert answer.status_code == expected["status"], answer.text
    if "handled" in expected:
        ((message, delivery),) = fetcher.handled
        assert message == VideoMessage(**expected["handled"])
        assert delivery.message_id == expected["message_id"]
        assert delivery.attempt == expected.get("attempt")
        assert delivery.attributes == expected.get("attributes", {})
        assert delivery.published == expected.get("published", "")
        assert fetcher.rejected == []
    else:
        assert fetcher.handled == []
    if "rejected" in expected:
        (rejected,) = fetcher.rejected
        assert expected["rejected"] in rejected["reason"]
        assert "expected" in rejected["reason"]
        assert rejected["source"] == "fetcher"
        assert rejected["message_id"] == expected["message_id"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_request_that_is_no_push_is_recorded_and_its_headers_are_not_repeated(name: str) -> None:
    run = Run(name)
    body = {"hello": "world"}
    for expected in (503, 200):
        run.publish_fails = expected == 503
        answer = run.web.post("/", headers={"Authorization": "Bearer hunter2hunter2"}, json=body)
        assert answer.status_code == expected
        assert "hunter2" not in answer.text
    (rejected,) = run.rejected
    assert (rejected["source"], json.loads(rejected["data"])) == (name, body)


@pytest.mark.parametrize("path", ["/", "/projects/p/topics/t"])
@pytest.mark.parametrize("data", [{}, {"data": ""}, {"data": "aGVsbG8="}])
def test_a_dead_letter_keeps_its_reason_when_pubsub_pushes_it(path: str, data: dict[str, str]) -> None:
    """Pub/Sub leaves ``data`` out if it is empty. functions-framework takes no such push for an event."""
    run = Run("dead_letters")
    about = {"source": "fetcher", "reason": "expected a UTF-8 JSON object", "message_id": "m-0"}
    body = {"message": {**data, "messageId": "m-1", "attributes": about}, "subscription": "s"}
    assert run.web.post(path, json=body).status_code == 200
    ((delivery,),) = run.handled
    assert delivery.attributes == about
    assert delivery.data == base64.b64decode(data.get("data", ""))
    assert run.rejected == []


@pytest.mark.parametrize("attempt", [1, 5, 100])
def test_the_attempt_of_a_push_is_logged(attempt: int, logged: pytest.CaptureFixture[str]) -> None:
    run = Run("planner")
    run.raises = Transient("YouTube does not answer.")
    message = {"data": base64.b64encode(run.message).decode(), "messageId": "m-1"}
    trace = {"X-Cloud-Trace-Context": f"{'ab' * 16}/18446744073709551615;o=1"}
    answer = run.web.post("/", json={"message": message, "deliveryAttempt": attempt}, headers=trace)
    assert answer.status_code == 503
    (line,) = [json.loads(each) for each in logged.readouterr().out.splitlines()]
    assert (line["message"], line["attempt"], line["message_id"]) == ("nacked", attempt, "m-1")
    assert line["logging.googleapis.com/trace"] == f"projects/yts-local/traces/{'ab' * 16}"
    assert line["logging.googleapis.com/spanId"] == "f" * 16


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_message_is_handled_and_acked(name: str) -> None:
    run = Run(name)
    assert run.post(run.message).status_code == 200
    kinds = {"planner": PlaylistMessage, "embedder": PassagesMessage, "dead_letters": Delivery}
    assert isinstance(run.handled[0][0], kinds.get(name, VideoMessage))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_transient_error_nacks(name: str) -> None:
    run = Run(name)
    run.raises = Transient("YouTube does not answer.")
    assert run.post(run.message).status_code == 503
    assert run.rejected == []


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("defect", [ZeroDivisionError("hm"), KeyError("x"), RecursionError(), MemoryError()])
def test_a_defect_nacks_and_is_logged(
    name: str, defect: Exception, logged: pytest.CaptureFixture[str]
) -> None:
    run = Run(name)
    run.raises = defect
    answer = run.post(run.message)
    assert answer.status_code == 500
    assert answer.text == "Internal error.\n"
    (line,) = [json.loads(each) for each in logged.readouterr().out.splitlines()]
    assert (line["severity"], line["function"], line["message_id"]) == ("ERROR", name, "m-1")
    assert type(defect).__name__ in line["stack_trace"]


@pytest.mark.parametrize("name", ["planner", "fetcher", "indexer"])
def test_a_message_that_the_use_case_cannot_read_is_rejected_with_its_reason(name: str) -> None:
    run = Run(name)
    run.raises = Malformed("job j has no video v")
    assert run.post(run.message).status_code == 200
    assert run.rejected == [
        {
            "data": run.message,
            "source": name,
            "message_id": "m-1",
            "published": "",
            "reason": "job j has no video v",
        }
    ]


def test_a_rejection_that_cannot_be_recorded_nacks() -> None:
    run = Run("fetcher")
    run.publish_fails = True
    assert run.post(b"not JSON").status_code == 503


def test_only_posts_are_deliveries() -> None:
    run = Run("fetcher")
    for method in ("GET", "PUT", "DELETE"):
        assert run.web.open("/", method=method).status_code == 405
    assert run.handled == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {}, optional={"data": JSON, "attributes": JSON, "messageId": JSON, "publishTime": JSON}
)
BODIES = st.fixed_dictionaries({}, optional={"message": JSON | MESSAGES, "deliveryAttempt": JSON})


@given(BODIES | JSON | BODIES.map(json.dumps) | st.text() | st.binary())
def test_any_body_is_a_delivery_or_malformed(data: Any) -> None:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    try:
        delivery = Delivery.from_push(content, "m-1")
    except Malformed as error:
        reason = str(error)
    else:
        assert isinstance(delivery.data, bytes)
        assert delivery.message_id == "m-1"
        return
    assert "expected" in reason
    assert "found" in reason
