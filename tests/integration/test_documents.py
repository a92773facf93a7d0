"""Reads and commits that travel together: each caller gets what is its own, against the real emulator."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest

from shared import documents
from shared.documents import Commit, Conflict, Snapshot
from tests.integration.firestore_support import at_once

pytestmark = pytest.mark.usefixtures("firestore_alone")


@pytest.fixture
def base() -> str:
    """A collection of the test's own."""
    return f"tests-{uuid4().hex}"


def test_threads_read_each_what_they_asked_for(base: str) -> None:
    for number in range(40):
        Commit().create(f"{base}/{number}", {"number": number}).run()
    found: dict[int, list[Snapshot]] = {}

    def read(number: int) -> None:
        # The same document twice, one of another, and one that is not there.
        paths = [f"{base}/{name}" for name in (number, (number + 1) % 40, number, "none")]
        found[number] = documents.read(*paths)

    at_once([partial(read, number) for number in range(40)])
    for number, snapshots in found.items():
        values = [snapshot.data and snapshot.data["number"] for snapshot in snapshots]
        assert values == [number, (number + 1) % 40, number, None]
        assert [snapshot.path for snapshot in snapshots][3] == f"{base}/none"


def test_one_that_cannot_be_read_fails_alone(base: str) -> None:
    Commit().create(f"{base}/good", {"is": "good"}).run()
    outcomes: list[object] = []

    def read(path: str) -> None:
        try:
            outcomes.append(documents.read(path)[0].data)
        except Exception as error:  # of whatever kind: it is what is asserted
            outcomes.append(type(error))

    # Names of the form __x__ are Firestore's own: it refuses them.
    at_once([partial(read, path) for path in [f"{base}/good", f"{base}/__own__"] * 10])
    assert outcomes.count({"is": "good"}) == 10
    assert len(outcomes) == 20


def test_of_many_that_make_the_same_document_one_does(base: str) -> None:
    outcomes: list[str] = []

    def make(number: int) -> None:
        try:
            Commit().create(f"{base}/one", {"by": number}).add(f"{base}/count", {"made": 1}).run()
            outcomes.append("made")
        except Conflict:
            outcomes.append("conflict")

    at_once([partial(make, number) for number in range(32)])
    assert outcomes.count("made") == 1
    assert outcomes.count("conflict") == 31
    assert documents.read(f"{base}/count")[0].data == {"made": 1}


def test_of_many_that_change_what_they_have_read_one_does(base: str) -> None:
    Commit().create(f"{base}/one", {"by": None}).run()
    seen = documents.read(f"{base}/one")[0].update_time
    outcomes: list[str] = []

    def change(number: int) -> None:
        commit = Commit().update(f"{base}/one", {"by": number}, unchanged_since=seen)
        try:
            commit.add(f"{base}/count", {"changed": 1}).run()
            outcomes.append("changed")
        except Conflict:
            outcomes.append("conflict")

    at_once([partial(change, number) for number in range(32)])
    assert sorted(outcomes) == ["changed", *["conflict"] * 31]
    assert documents.read(f"{base}/count")[0].data == {"changed": 1}


def test_each_sees_the_counter_as_it_was_after_its_own_addition(base: str) -> None:
    answers: list[int] = []

    def count(number: int) -> None:
        commit = Commit().create(f"{base}/{number}", {}).add(f"{base}/count", {"number": 1})
        answers.append(commit.run()[1]["number"])

    at_once([partial(count, number) for number in range(100)])
    assert sorted(answers) == list(range(1, 101))
