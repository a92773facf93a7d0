"""Erasing a user while their requests go on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml

from shared import clock
from shared.accounts.erasure import LONGEST_REQUEST, Erasure
from shared.config import Config
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from tests.unit.code_uses import ROOT
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock


class EmptyIndex(SearchIndex):
    """A search index in which nobody has a playlist."""

    def playlists_of(self, user_id: str) -> list[str]:
        return []


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock()
    monkeypatch.setattr(clock, "now", stopped)
    return stopped


@pytest.fixture
def db() -> InMemory:
    made = InMemory()
    made["users/ada"] = {"email": "ada@example.com"}
    return made


@pytest.fixture
def erasure(db: InMemory) -> Erasure:
    config = Config()
    return Erasure(db, EmptyIndex(SearchServer(config)), Grants(db, Google(config), config))


def write_late(db: InMemory) -> list[str]:
    """What requests write that found the user before the erasure did."""
    paths = ["users/ada/searches/late", "users/ada/clips/late", "links/late"]
    for path in paths:
        db[path] = {"user_id": "ada", "title": "Late"}
    return paths


def left(db: InMemory) -> list[str]:
    return sorted(db._documents)


def test_what_a_late_request_writes_is_erased_too(time: StoppedClock, db: InMemory, erasure: Erasure) -> None:
    erasure.erase("ada")
    late = write_late(db)
    time.forward(seconds=LONGEST_REQUEST.total_seconds() - 1)
    assert erasure.resume_all() == 0
    assert left(db) == sorted([*late, "erasures/ada"])
    time.forward(seconds=1)
    assert erasure.resume_all() == 1
    assert left(db) == []


def test_a_user_who_comes_back_is_not_erased_later(
    time: StoppedClock, db: InMemory, erasure: Erasure
) -> None:
    erasure.erase("ada")
    erasure.complete("ada")
    db["users/ada"] = {"email": "ada@example.com"}
    time.forward(hours=1)
    assert erasure.resume_all() == 0
    assert left(db) == ["users/ada"]


def test_a_user_who_comes_back_during_the_erasure_is_not_erased_later(
    time: StoppedClock, db: InMemory, erasure: Erasure
) -> None:
    db.meanwhile = lambda: erasure.complete("ada")
    erasure.erase("ada")
    assert db.meanwhile is None
    assert left(db) == []


def test_no_request_lasts_longer() -> None:
    pipeline: Any = yaml.safe_load((ROOT / "infra" / "pipeline.yaml").read_text(encoding="utf-8"))
    asked = [each for each in pipeline["functions"].values() if each.get("routes")]
    longest = max(each["timeout_seconds"] for each in [*asked, pipeline["web"]])
    assert timedelta(seconds=longest) <= LONGEST_REQUEST
