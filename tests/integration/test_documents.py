"""Reads, preconditions and counters of threads that work at once, against the real emulator."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import pytest

from shared import documents
from shared.documents import Commit, Conflict
from tests.integration.firestore_support import at_once

pytestmark = pytest.mark.usefixtures("firestore_alone")


@pytest.fixture
def base() -> str:
    """A collection of the test's own."""
    return f"tests-{uuid4().hex}"


def test_a_read_answers_in_the_order_of_its_paths(base: str) -> None:
    for number in range(3):
        Commit().create(f"{base}/{number}", {"number": number}).run()
    # One document twice, and one that does not exist.
    paths = [f"{base}/{name}" for name in (2, 0, 2, "none", 1)]
    found = documents.read(*paths)
    assert [each.path for each in found] == paths
    assert [each.data and each.data["number"] for each in found] == [2, 0, 2, None, 1]
    assert documents.read() == []


def test_a_read_of_some_fields_answers_no_others(base: str) -> None:
    Commit().create(f"{base}/one", {"a": 1, "b": 2}).run()
    assert documents.read(f"{base}/one", fields=["b"])[0].data == {"b": 2}


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


def test_several_counters_of_one_commit_are_answered_by_name(base: str) -> None:
    for total in (1, 2):
        commit = Commit().set(f"{base}/other", {"x": 1}).add(f"{base}/count", {"b": 10, "a": 1})
        assert commit.run() == [{}, {"a": total, "b": 10 * total}]
