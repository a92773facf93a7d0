"""Reads, preconditions and counters of concurrent threads, with the real Firestore emulator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest
from google.api_core.exceptions import InvalidArgument

from shared.errors import Conflict
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore, retry_on_conflict
from tests.integration.firestore_emulator import connected
from tests.integration.world import at_once


@pytest.fixture(scope="module", params=[None, 0.02], ids=["alone", "in batches"])
def db(request: pytest.FixtureRequest, firestore_emulator: str) -> Iterator[Firestore]:
    """The database, with each call a request of its own, and with the calls of all threads in batches."""
    with connected(firestore_emulator, batch_interval=request.param) as db:
        yield db


@pytest.fixture
def base() -> str:
    """A collection of the test's own."""
    return f"tests-{uuid4().hex}"


def test_a_read_returns_documents_in_the_order_of_its_paths(db: Firestore, base: str) -> None:
    for number in range(3):
        db.commit().create(f"{base}/{number}", {"number": number}).run()
    # One document twice, and one that does not exist.
    paths = [f"{base}/{name}" for name in (2, 0, 2, "none", 1)]
    found = db.read(*paths)
    assert [each.path for each in found] == paths
    assert [each.data and each.data["number"] for each in found] == [2, 0, 2, None, 1]
    assert db.read() == []


def test_each_of_many_threads_reads_what_it_asked_for(db: Firestore, base: str) -> None:
    for number in range(40):
        db.commit().create(f"{base}/{number}", {"number": number}).run()

    def read(number: int) -> list[object]:
        paths = [f"{base}/{name}" for name in (number, (number + 1) % 40, number, "none")]
        return [each.data and each.data["number"] for each in db.read(*paths)]

    found = at_once([partial(read, number) for number in range(40)])
    assert found == [[number, (number + 1) % 40, number, None] for number in range(40)]


def test_a_call_that_is_refused_fails_alone(db: Firestore, base: str) -> None:
    """Firestore keeps names of the form __x__ for itself."""
    db.commit().create(f"{base}/good", {"is": "good"}).run()

    def call(number: int) -> object:
        name = "good" if number % 2 else "__own__"
        try:
            if number % 3:
                return db.read(f"{base}/{name}")[0].data
            return len(db.commit().set(f"{base}/{name}", {"is": "good"}).run().counters)
        except InvalidArgument:
            return "refused"

    found = at_once([partial(call, number) for number in range(30)])
    expected = [("refused", {"is": "good"} if number % 3 else 1)[number % 2] for number in range(30)]
    assert found == expected


def test_a_read_of_some_fields_returns_no_others(db: Firestore, base: str) -> None:
    db.commit().create(f"{base}/one", {"a": 1, "b": 2}).run()
    assert db.read(f"{base}/one", fields=["b"])[0].data == {"b": 2}


def test_a_query_goes_on_after_the_last_document_of_a_page(db: Firestore, base: str) -> None:
    for number in range(5):
        db.commit().create(f"{base}/{number}", {"even": number % 2 == 0}).run()

    def page(after: str | None) -> list[str]:
        found = db.query(base, ("even", "==", True), order_by="__name__", start_after=after, limit=2)
        return [each.id for each in found]

    assert [page(None), page("2"), page("4")] == [["0", "2"], ["4"], []]


def test_one_of_many_writers_makes_a_document(db: Firestore, base: str) -> None:
    def make(number: int) -> bool:
        try:
            db.commit().create(f"{base}/one", {"by": number}).add(f"{base}/count", {"made": 1}).run()
        except Conflict:
            return False
        return True

    assert at_once([partial(make, number) for number in range(32)]).count(True) == 1
    assert db.read(f"{base}/count")[0].data == {"made": 1}


def test_one_of_many_writers_changes_what_all_have_read(db: Firestore, base: str) -> None:
    db.commit().create(f"{base}/one", {"by": None}).run()
    read_at = db.read(f"{base}/one")[0].update_time

    def change(number: int) -> bool:
        commit = db.commit().update(f"{base}/one", {"by": number}, unchanged_since=read_at)
        try:
            commit.add(f"{base}/count", {"changed": 1}).run()
        except Conflict:
            return False
        return True

    assert at_once([partial(change, number) for number in range(32)]).count(True) == 1
    assert db.read(f"{base}/count")[0].data == {"changed": 1}


def test_read_decide_and_commit_loses_no_change(db: Firestore, base: str) -> None:
    """Each of many writers reads a number and writes the next one, and begins again after a conflict."""
    path = f"{base}/one"

    def attempt() -> None:
        read = db.read(path)[0]
        number = read.data["number"] if read.data else 0
        db.commit().put(read, {"number": number + 1}).run()

    at_once([lambda: retry_on_conflict(attempt)] * 16)
    assert db.read(path)[0].data == {"number": 16}


def test_a_commit_whose_condition_fails_writes_nothing(db: Firestore, base: str) -> None:
    one, missing = f"{base}/one", f"{base}/missing"
    with pytest.raises(Conflict):
        db.commit().create(one, {"a": 1}).update(missing, {"a": 1}).run()
    assert [each.data for each in db.read(one, missing)] == [None, None]


def test_each_writer_sees_the_counter_after_its_own_addition(db: Firestore, base: str) -> None:
    def count(number: int) -> int:
        commit = db.commit().create(f"{base}/{number}", {}).add(f"{base}/count", {"number": 1})
        return commit.run().counters[1]["number"]

    assert sorted(at_once([partial(count, number) for number in range(100)])) == list(range(1, 101))


def test_several_counters_of_a_commit_are_returned_by_name(db: Firestore, base: str) -> None:
    for total in (1, 2):
        commit = db.commit().set(f"{base}/other", {"x": 1}).add(f"{base}/count", {"b": 10, "a": 1})
        assert commit.run().counters == [{}, {"a": total, "b": 10 * total}]


@dataclass
class Pet:
    name: str
    kind: str
    age: int = 3


def test_a_document_is_read_as_a_dataclass(db: Firestore, base: str) -> None:
    db.commit().create(f"{base}/rex", {"kind": "dog", "owner": "ada"}).run()
    rex, nobody = db.read(f"{base}/rex", f"{base}/nobody")
    assert rex.read_as(Pet, name=rex.id) == Pet("rex", "dog", 3)
    assert nobody.read_as(Pet, name=nobody.id) is None
    assert Snapshot("pets/old", {"kind": "cat", "age": 17}, None).read_as(Pet, name="old") == Pet(
        "old", "cat", 17
    )
