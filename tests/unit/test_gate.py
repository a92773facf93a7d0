"""Processes of one address that share a document."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from shared import clock, config, documents, gate
from shared.egress import player_key
from shared.gate import Gate, Shut
from shared.known import Known
from shared.pacing import Ticket
from tests.unit.document_support import NOW, Document


@pytest.fixture
def document(monkeypatch: pytest.MonkeyPatch) -> Iterator[Document]:
    made = Document()
    monkeypatch.setattr(documents, "read", made.read)
    monkeypatch.setattr(gate, "Commit", lambda: made)
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(made.now, UTC))
    # When they exchange is said by the test.
    monkeypatch.setattr(gate, "_EXCHANGE_EVERY", 3600.0)
    player_key.forget()
    yield made
    player_key.forget()


def twins(count: int) -> list[Gate]:
    made = [Gate("main", 50) for _ in range(count)]
    for each in made:
        each.exchange()
    return made


def sent(of: Gate, video: str = "v") -> Ticket:
    ticket = of.enter(video, 0)
    assert of.sending(ticket)
    return ticket


def ask(of: Gate, requests: int = 1) -> None:
    ticket = of.enter("v", 0)
    for _ in range(requests):
        assert of.sending(ticket)
    of.passed(ticket)
    of.leave(ticket)


def limited(document: Document, limit: int, length: float) -> None:
    """The address was blocked before, and is fresh."""
    (one,) = twins(1)
    assert document.data is not None
    document.data |= {"generation": 7, "limit": limit, "length": length}
    one.exchange()


def spent(document: Document) -> int:
    assert document.data is not None
    requests: int = document.data["spent"]
    return requests


def state(document: Document) -> str:
    assert document.data is not None
    said: str = document.data["state"]
    return said


@pytest.mark.parametrize("idle", [True, False])
def test_who_is_new_or_was_idle_knows_what_still_counts(document: Document, idle: bool) -> None:
    """Of a thousand requests in an hour, those of the last ten seconds; and nobody has to pause."""
    limited(document, limit=60, length=10.0)
    one, other = twins(2)
    for second in range(400):
        document.now = NOW + second
        ask(one, requests=3)
        one.exchange()
    assert spent(document) == 1200
    if not idle:
        (other,) = twins(1)
    other.exchange()
    ask(other)
    other.exchange()
    assert state(document) == "closed"
    assert other._pacer.known.recent(document.now) <= 34


def test_who_is_new_rests_as_long_as_is_needed_and_no_whole_window(document: Document) -> None:
    limited(document, limit=30, length=10.0)
    (one,) = twins(1)
    for second in range(10):
        document.now = NOW + second
        ask(one, requests=3)
        one.exchange()
    (other,) = twins(1)
    with pytest.raises(Shut) as shut:
        other.enter("v", 0)
    # Six of thirty are free again when those of the first two seconds are over.
    assert NOW + 11 <= shut.value.until.timestamp() <= NOW + 12


def test_old_requests_that_nobody_was_told_of_are_not_held_against_the_others(document: Document) -> None:
    limited(document, limit=60, length=10.0)
    one, other = twins(2)
    for _ in range(10):
        ask(other, requests=5)
    for second in range(12):
        document.now = NOW + second
        ask(one)
        one.exchange()
    other.exchange()
    assert other._pacer.known.recent(document.now) <= 12


def test_what_others_asked_while_the_breaker_moved_is_counted(document: Document) -> None:
    """It moves while this process is exchanging."""
    limited(document, limit=60, length=10.0)
    one, other = twins(2)
    ticket = sent(one)
    for _ in range(5):
        ask(other, requests=2)
    other.exchange()
    document.meanwhile = lambda: one._pacer.blocked(ticket, document.now)
    one.exchange()
    one.exchange()
    assert state(document) == "open"
    assert spent(document) == 11


def test_a_move_here_keeps_what_others_have_borne_and_a_move_there_what_was_borne_here(
    document: Document,
) -> None:
    one, other = twins(2)
    ask(one, requests=3)
    ask(other, requests=4)
    other.exchange()
    document.now += 6
    ask(one)  # begins anew, which is a move
    one.exchange()
    assert document.data is not None
    assert document.data["borne"] == 8
    ask(other, requests=2)
    other.exchange()
    assert document.data["borne"] == 10
    assert document.data["last"].timestamp() == document.now


def test_a_block_ends_what_was_borne_whoever_met_it(document: Document) -> None:
    one, other = twins(2)
    for each in (one, other):
        ask(each, requests=5)
        each.exchange()
    ask(other, requests=2)
    assert one.blocked(sent(one), weak=False)
    other.exchange()
    assert document.data is not None
    assert document.data["borne"] == 0
    assert spent(document) == 13


def test_a_block_is_known_even_if_it_cannot_be_answered(document: Document) -> None:
    """Others write all the time: reading is enough to pause."""
    one, other = twins(2)
    assert one.blocked(sent(one), weak=False)
    document.meanwhile = one.exchange
    other._exchange_against_others()
    with pytest.raises(Shut):
        other.enter("v", 0)


def test_a_refusal_after_anothers_move_stops_all(document: Document) -> None:
    """The other began a new count, while a video was on its way here."""
    one, other = twins(2)
    first, second = sent(one, "a"), sent(one, "b")
    other._pacer.known = Known(generation=5, began=NOW)
    other.exchange()
    one.exchange()
    document.now += 1
    assert one.sending(first)
    assert one.blocked(first, weak=False)
    assert state(document) == "open"
    # One that was refused before the present count began says nothing new.
    assert one.blocked(second, weak=False)
    with pytest.raises(Shut):
        one.enter("c", 0)


def test_videos_under_way_go_on_while_another_process_rests(document: Document) -> None:
    """They were counted when they were let through."""
    limited(document, limit=20, length=10.0)
    one, other = twins(2)
    ticket = sent(one)
    one.exchange()
    other.exchange()
    for _ in range(9):
        ask(other, requests=2)
    with pytest.raises(Shut):
        other.enter("v", 0)
    one.exchange()
    assert state(document) == "open"
    assert one.sending(ticket)
    one.passed(ticket)
    one.leave(ticket)


def key(document: Document) -> Any:
    assert document.data is not None
    return document.data.get("player_key")


def test_an_old_key_does_not_overwrite_a_newer_one(document: Document) -> None:
    (one,) = twins(1)
    player_key.learn(b'"INNERTUBE_API_KEY": "AIza-old"')
    one.exchange()
    youtube = config.load().youtube_base_url
    assert key(document) == {"value": "AIza-old", "of": youtube}
    newer = {"value": "AIza-new", "of": youtube}
    assert document.data is not None
    document.data["player_key"] = newer
    one.exchange()
    assert key(document) == newer
    player_key.refuse("AIza-old")
    one.exchange()
    assert key(document) == newer
    assert player_key.value == "AIza-new"


def test_the_key_of_a_stand_in_is_not_taken_for_youtubes(document: Document) -> None:
    (one,) = twins(1)
    assert document.data is not None
    document.data["player_key"] = {"value": "AIza-other", "of": "http://127.0.0.1:1"}
    one.exchange()
    assert player_key.value is None
