"""Deliveries: golden request bodies through the real functions, and what becomes of each."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cloudevents.http import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from infra.pipeline import load_pipeline
from shared import dead_letters, events, fetcher, indexer, planner, topics
from shared.config import Config
from shared.errors import Malformed, Transient
from shared.events import Delivery
from shared.messages import PlaylistMessage, VideoMessage
from tests.unit.functions import client

DATA = Path(__file__).resolve().parents[1] / "data" / "events"
GOLDEN = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}

#: The use case of each function that Pub/Sub triggers, and a message it understands.
USE_CASES: dict[str, tuple[Any, str, bytes]] = {
    "planner": (planner, "plan", b'{"playlist_id":"PLx"}'),
    "fetcher": (fetcher, "fetch", b'{"job_id":"j","video_id":"v"}'),
    "indexer": (indexer, "index", b'{"job_id":"j","video_id":"v"}'),
    "dead_letters": (dead_letters, "settle", b'{"job_id":"j","video_id":"v"}'),
}
CE = {
    "ce-id": "17",
    "ce-source": "//pubsub.googleapis.com/projects/p/topics/videos",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "content-type": "application/json",
}


class Run:
    """One function with its use case and the dead letters recorded. ``raises``: what the use case does."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.handled: list[Any] = []
        self.rejected: list[dict[str, Any]] = []
        self.raises: BaseException | None = None
        self.publish_fails = False
        module, function, _ = USE_CASES[name]
        monkeypatch.setattr(module, function, self._handle)
        monkeypatch.setattr(topics, "reject", self._reject)
        self.web = client(name, signature="cloudevent")

    def _handle(self, *arguments: Any) -> None:
        self.handled.append(arguments)
        if self.raises:
            raise self.raises

    def _reject(self, data: bytes, **about: str) -> None:
        if self.publish_fails:
            raise Transient("Pub/Sub did not take a message.")
        self.rejected.append({"data": data, **about})

    def post(self, data: bytes, **message: Any) -> Any:
        body = {"message": {"data": base64.b64encode(data).decode(), "messageId": "m-1", **message}}
        return self.web.post("/", headers=CE, data=json.dumps(body))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Run]:
    return lambda name: Run(name, monkeypatch)


def test_the_table_has_every_function_that_pubsub_triggers() -> None:
    pipeline = load_pipeline(Config.from_env({}))
    assert set(USE_CASES) == {each.name for each in pipeline.functions if each.trigger == "pubsub"}
    assert len(GOLDEN) >= 15


@pytest.mark.parametrize("name", GOLDEN)
def test_golden(name: str, run: Callable[[str], Run]) -> None:
    golden = GOLDEN[name]
    fetching = run("fetcher")
    body = golden["body"]
    answer = fetching.web.post(
        golden.get("path", "/"),
        headers=golden["headers"],
        data=body if isinstance(body, str) else json.dumps(body),
    )
    expected = golden["expect"]
    assert answer.status_code == expected["status"], answer.text
    if "handled" in expected:
        ((message, delivery),) = fetching.handled
        assert message == VideoMessage(**expected["handled"])
        assert delivery.message_id == expected["message_id"]
        assert delivery.attempt == expected.get("attempt")
        assert delivery.attributes == expected.get("attributes", {})
        assert delivery.published == expected.get("published", "")
        assert fetching.rejected == []
    else:
        assert fetching.handled == []
    if "rejected" in expected:
        (rejected,) = fetching.rejected
        assert expected["rejected"] in rejected["reason"]
        assert "expected" in rejected["reason"]
        assert rejected["source"] == "fetcher"
        assert rejected["message_id"] == expected["message_id"]


@pytest.mark.parametrize("name", USE_CASES)
def test_what_is_no_event_is_recorded_and_its_headers_are_not_repeated(
    name: str, run: Callable[[str], Run]
) -> None:
    one = run(name)
    body = {"message": {"messageId": "m-1"}, "subscription": "s"}
    for expected in (503, 200):
        one.publish_fails = expected == 503
        answer = one.web.post("/", headers={"Authorization": "Bearer hunter2hunter2"}, json=body)
        assert answer.status_code == expected
        assert "hunter2" not in answer.text
    (rejected,) = one.rejected
    assert (rejected["source"], json.loads(rejected["data"])) == (name, body)


@pytest.mark.parametrize("name", USE_CASES)
def test_a_message_is_handed_over_and_acknowledged(name: str, run: Callable[[str], Run]) -> None:
    one = run(name)
    assert one.post(USE_CASES[name][2]).status_code == 200
    kinds = {"planner": PlaylistMessage, "dead_letters": Delivery}
    assert isinstance(one.handled[0][0], kinds.get(name, VideoMessage))


@pytest.mark.parametrize("name", USE_CASES)
def test_what_is_of_the_moment_is_given_back(name: str, run: Callable[[str], Run]) -> None:
    one = run(name)
    one.raises = Transient("YouTube does not answer.")
    assert one.post(USE_CASES[name][2]).status_code == 503
    assert one.rejected == []


@pytest.mark.parametrize("name", USE_CASES)
@pytest.mark.parametrize("defect", [ZeroDivisionError("hm"), KeyError("x"), RecursionError(), MemoryError()])
def test_a_defect_is_given_back_and_logged(
    name: str, defect: Exception, run: Callable[[str], Run], capsys: pytest.CaptureFixture[str]
) -> None:
    one = run(name)
    one.raises = defect
    one.web.application.config["PROPAGATE_EXCEPTIONS"] = False
    answer = one.post(USE_CASES[name][2])
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    (line,) = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    assert (line["severity"], line["function"], line["message_id"]) == ("ERROR", name, "17")
    assert type(defect).__name__ in line["traceback"]


@pytest.mark.parametrize("name", ["planner", "fetcher", "indexer"])
def test_what_a_use_case_cannot_read_is_rejected_with_its_reason(
    name: str, run: Callable[[str], Run]
) -> None:
    one = run(name)
    one.raises = Malformed("job j has no video v")
    assert one.post(USE_CASES[name][2]).status_code == 200
    assert one.rejected == [
        {
            "data": USE_CASES[name][2],
            "source": name,
            "message_id": "m-1",
            "published": "",
            "reason": "job j has no video v",
        }
    ]


def test_a_rejection_that_cannot_be_recorded_is_given_back(run: Callable[[str], Run]) -> None:
    one = run("fetcher")
    one.publish_fails = True
    assert one.post(b"not JSON").status_code == 503


def test_only_posts_are_deliveries(run: Callable[[str], Run]) -> None:
    one = run("fetcher")
    for method in ("GET", "PUT", "DELETE"):
        assert one.web.open("/", method=method).status_code == 405
    assert one.handled == []


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
def test_any_event_is_a_delivery_or_malformed(data: Any) -> None:
    event = CloudEvent({"id": "1", "source": "s", "type": "t"}, data)
    try:
        delivery = events.delivery_of(event)
    except Malformed as error:
        reason = str(error)
    else:
        assert isinstance(delivery.data, bytes)
        assert delivery.message_id
        return
    assert "expected" in reason
    assert "found" in reason
