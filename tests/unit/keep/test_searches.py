"""Reading saved searches: how many of them are looked at again before the answer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared import clock
from shared.config import Config
from shared.errors import Busy
from shared.keep import searches as module
from shared.keep.searches import Searches
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock


class SlowSearch(Search):
    """Finds nothing. ``seconds``: that all its answers together took, one each. ``asked``: the queries."""

    def __init__(self) -> None:
        super().__init__(SearchServer(Config()))
        self.seconds = 0.0
        self.asked: list[str] = []

    def ids(
        self, user_id: str, titles: Mapping[str, str], params: Params, placing: Placing | None = None
    ) -> list[str]:
        self.seconds += 1
        self.asked.append(params.q)
        return []


def test_an_answer_waits_for_a_few_looks_and_each_search_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    db, search, time = InMemory(), SlowSearch(), StoppedClock()
    monkeypatch.setattr(clock, "now", time)
    monkeypatch.setattr(module, "monotonic", lambda: search.seconds)
    searches = Searches(db, search)
    words = ["bread", "cake", "rye", "salt", "water"]
    for word in words:
        time.forward(seconds=1)
        searches.save("ada", f"q={word}")
    db["users/ada/memberships/PL"] = {"title": "A new source"}
    looks = []
    for _ in range(4):
        search.asked = []
        time.forward(seconds=1)
        assert [each["title"] for each in searches.list("ada")["searches"]] == words
        looks.append(search.asked)
    assert looks == [["bread", "cake"], ["rye", "salt"], ["water"], []]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("q=rye++bread&playlist=PL", "rye bread"),
        ("q=&playlist=PL", "Baking"),
        ("playlist=PL&playlist=PLgone", "Baking"),
        ("playlist=PLgone", "All videos"),
        ("language=en", "All videos"),
    ],
)
def test_a_search_is_named_by_its_words_or_its_sources(query: str, title: str) -> None:
    db = InMemory()
    db["users/ada/memberships/PL"] = {"title": "Baking"}
    assert Searches(db, SlowSearch()).save("ada", query)["title"] == title


@pytest.mark.parametrize(
    "again", ["q=fire&language=en", "language=en&q=fire", "q=fire&sort=newest&language=en"]
)
def test_the_same_search_in_another_order_is_the_same(again: str) -> None:
    searches = Searches(InMemory(), SlowSearch())
    searches.save("ada", "q=fire&language=en")
    with pytest.raises(Busy, match="“fire”"):
        searches.save("ada", again)
    searches.save("ada", "q=fire")
