"""Commits that may share a request."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.firestore_v1 import Client

from shared.gcp.documents import Commit, compatible
from shared.gcp.failpoints import Failpoints

#: What a commit does: `+a` adds to a counter of a, `a` changes a.
COMPATIBLE = [
    (["a", "b"], [0, 1]),
    (["a", "a"], [0]),
    (["a +n", "b +n", "c +n"], [0, 1, 2]),
    (["a +n", "b +n", "a +n", "n"], [0, 1]),
    (["n", "a +n", "b"], [0, 2]),
    (["a +b", "b +c", "c"], [0, 2]),
    (["+a", "+a", "a"], [0, 1]),
]


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    """Sends nothing."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")
    return Client(project="test")


def _commit(client: Client, writes: str) -> Commit:
    def send(_: Commit) -> Any:
        raise AssertionError("nothing is sent here")

    commit = Commit(client, Failpoints(), send)
    for write in writes.split():
        if write.startswith("+"):
            commit.add(f"x/{write[1:]}", {"number": 1})
        else:
            commit.set(f"x/{write}", {"number": 1})
    return commit


@pytest.mark.parametrize(("writes", "expected"), COMPATIBLE)
def test_two_commits_share_a_request_unless_one_changes_a_document_of_the_other(
    writes: list[str], expected: list[int], client: Client
) -> None:
    commits = [_commit(client, each) for each in writes]
    assert compatible(commits) == [commits[number] for number in expected]
