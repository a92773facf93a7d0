"""Processes of one address that share a document."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import pytest

from shared import breaker, clock, config, documents
from shared.breaker import Breaker, RouteClosed
from shared.egress import player_key
from shared.errors import Transient
from shared.pacer import Ticket
from shared.window import Window, fields_of, window_of
from tests.unit.document_support import NOW, Document


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> Iterator[Document]:
    made = Document()
    monkeypatch.setattr(documents, "read", made.read)
    monkeypatch.setattr(breaker, "Commit", lambda: made)
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(made.now, UTC))
    # Each test says when the processes sync.
    monkeypatch.setattr(breaker, "_SYNC_EVERY", 3600.0)
    player_key.forget()
    yield made
    player_key.forget()


def twins(document: Document) -> tuple[Breaker, Breaker]:
    """Two processes of an address that has passed one request."""
    document.data = fields_of(Window(succeeded=1, last_success=NOW, began=NOW))
    one, other = Breaker("main", 50), Breaker("main", 50)
    for each in (one, other):
        each.sync()
    return one, other


def sent(by: Breaker, video: str = "v") -> Ticket:
    ticket = by.enter(video, 0)
    assert by.sending(ticket)
    return ticket


def ask(by: Breaker, requests: int) -> None:
    ticket = by.enter("v", 0)
    for _ in range(requests):
        assert by.sending(ticket)
    by.passed(ticket)
    by.leave(ticket)


def stored(document: Document) -> Window:
    return window_of(document.data)


def test_requests_of_all_processes_are_added_up_whoever_moves_the_breaker(document: Document) -> None:
    one, other = twins(document)
    ask(one, 3)
    ask(other, 4)
    refused = sent(one)
    document.meanwhile = other.sync
    assert one.blocked(refused, weak=False)
    assert (stored(document).state, stored(document).succeeded) == ("open", 8)
    other.sync()
    assert stored(document).succeeded == 8
    with pytest.raises(RouteClosed) as closed:
        other.enter("v", 0)
    assert closed.value.refused


def test_a_block_is_known_even_while_others_write_all_the_time(document: Document) -> None:
    one, other = twins(document)
    one.blocked(sent(one), weak=False)
    document.meanwhile = one.sync
    other.sync()
    with pytest.raises(RouteClosed):
        other.enter("v", 0)


def test_an_answer_from_before_another_process_moved_says_nothing_new(document: Document) -> None:
    one, other = twins(document)
    late = sent(other)
    one.blocked(sent(one), weak=False)
    document.now += 10
    one.passed(sent(one))  # the probe
    other.sync()
    window = stored(document)
    assert other.blocked(late, weak=False)
    other.sync()
    assert stored(document).state == window.state == "closed"


def test_firestore_is_needed_once_and_then_may_be_unavailable(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, _), new = twins(document), Breaker("main", 50)

    def unavailable(_: str) -> Any:
        raise Transient("no answer")

    monkeypatch.setattr(documents, "read", unavailable)
    with pytest.raises(Transient):
        new.enter("v", 0)
    one.blocked(sent(one), weak=False)
    with pytest.raises(RouteClosed):
        one.enter("v", 0)


def test_videos_of_many_threads_get_their_turns_at_the_learned_rate(
    document: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC))
    document.data = fields_of(Window(rate=40.0))
    paced, began = Breaker("main", 50), monotonic()

    def fetch() -> None:
        ticket = paced.enter("v", 10)
        assert paced.sending(ticket)
        assert paced.sending(ticket)
        paced.passed(ticket)
        paced.leave(ticket)

    threads = [threading.Thread(target=fetch) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    # Forty requests, of which the bucket has saved up four.
    assert 0.7 < monotonic() - began < 5
    assert paced._pacer.window.succeeded == 40


def test_a_video_whose_turn_does_not_come_in_time_is_not_refused(document: Document) -> None:
    document.data = fields_of(Window(rate=0.5))
    slow = Breaker("main", 50)
    for _ in range(3):
        ask(slow, 2)
    with pytest.raises(RouteClosed) as closed:
        slow.enter("v", 0.1)
    assert not closed.value.refused


def key(document: Document) -> Any:
    assert document.data is not None
    return document.data.get("player_key")


def test_an_old_key_does_not_overwrite_a_newer_one(document: Document) -> None:
    one, _ = twins(document)
    assert document.data is not None
    player_key.learn(b'"INNERTUBE_API_KEY": "AIza-old"')
    one.sync()
    youtube = config.load().youtube_base_url
    assert key(document) == {"value": "AIza-old", "of": youtube}
    newer = {"value": "AIza-new", "of": youtube}
    document.data["player_key"] = newer
    one.sync()
    assert key(document) == newer
    player_key.refuse("AIza-old")
    one.sync()
    assert key(document) == newer
    assert player_key.value == "AIza-new"


def test_the_key_of_a_stand_in_is_not_taken_for_youtubes(document: Document) -> None:
    one, _ = twins(document)
    assert document.data is not None
    document.data["player_key"] = {"value": "AIza-other", "of": "http://127.0.0.1:1"}
    one.sync()
    assert player_key.value is None
