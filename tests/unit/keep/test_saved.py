"""What a look at the library changes in a saved search: which hits are new, and which are no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest

from shared import clock
from shared.errors import BadRequest
from shared.gcp.documents import Snapshot
from shared.keep.saved import Arguments, SavedSearch, saved_from
from tests.unit.stopped_clock import StoppedClock


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    stopped = StoppedClock()
    monkeypatch.setattr(clock, "now", stopped)
    return stopped


def begin(*hits: str, query: str = "q=bread") -> SavedSearch:
    return SavedSearch.begin("s1", "Bread", query, "", hits)


def test_what_was_there_before_is_not_new() -> None:
    saved = begin("a", "b")
    assert (saved.new, saved.total) == ([], 2)
    assert saved.with_hits(["b", "a"], "1").new == []


def test_a_hit_is_new_until_it_is_seen(time: StoppedClock) -> None:
    saved = begin("a")
    time.forward(hours=1)
    saved = saved.with_hits(["a", "b"], "1")
    time.forward(hours=1)
    saved = saved.with_hits(["a", "b", "c"], "2")
    assert saved.new == ["b", "c"]
    view = saved.view({})
    assert (view["new"], view["total"]) == (2, 3)
    assert view["new_since"] == clock.rfc3339(time() - timedelta(hours=1))
    assert seen(saved).new == []
    assert list(seen(saved).found) == ["b", "c"], "they stay in the feed"


def seen(saved: SavedSearch, until: datetime | None = None) -> SavedSearch:
    return replace(saved, seen_at=saved.seen(until))


def test_what_was_found_after_the_answer_that_was_seen_stays_new() -> None:
    """All of it happens within one millisecond."""
    answered = begin("a").with_hits(["a", "b"], "1")
    later = answered.with_hits(["a", "b", "c"], "2")
    shown = clock.parse(answered.view({})["checked_at"])
    assert seen(later, shown).new == ["c"]
    assert seen(seen(later), shown).new == [], "an older answer does not make hits new again"
    future = datetime(2999, 1, 1, tzinfo=UTC)
    assert seen(answered, future).with_hits(["a", "b", "c"], "2").new == ["c"]


def test_a_hit_that_is_none_any_more_leaves_the_new_ones() -> None:
    saved = begin("a").with_hits(["a", "b", "c"], "1").with_hits(["a", "c"], "2")
    assert (saved.new, saved.total) == (["c"], 2)
    assert saved.with_hits(["a", "b", "c"], "3").new == ["c", "b"], "nobody has seen it yet"


def test_a_seen_hit_that_comes_back_is_not_new() -> None:
    saved = begin("a", "b").with_hits([], "1")
    assert (saved.total, saved.new) == (0, [])
    assert saved.with_hits(["a", "b"], "2").new == []


def test_the_oldest_seen_hits_leave_the_feed_and_stay_known() -> None:
    hits = [f"video{number:04}" for number in range(600)]
    saved = seen(begin().with_hits(hits, "1"))
    assert len(saved.found) == 600
    again = saved.with_hits(hits, "2")
    assert list(again.found) == hits[100:]
    assert again.new == []


def test_a_search_of_twenty_thousand_hits_fits_into_a_document() -> None:
    hits = [f"{number:011x}"[::-1] for number in range(7**12, 7**12 + 20_000)]
    saved = begin(*hits[:10_000]).with_hits(hits, "1")
    document = saved.stored()
    assert len(document["known"]) + len(document["found"]) < 700_000
    assert saved_from(Snapshot("users/ada/searches/s1", document, None)) == saved


def test_what_is_stored_is_read_again() -> None:
    saved = begin("a").with_hits(["a", "b"], "1").with_hits(["a", "b", "c"], "2")
    assert saved_from(Snapshot("users/ada/searches/s1", saved.stored(), None)) == saved
    assert saved_from(Snapshot("users/ada/searches/s1", None, None)) is None


def test_videos_that_are_gone_for_good_are_forgotten_when_they_are_too_many() -> None:
    saved = begin(*map(str, range(20_001)))
    assert saved.with_hits(["0"], "1").known == {str(number) for number in range(20_001)}
    assert begin(*map(str, range(20_002))).with_hits(["0"], "1").known == {"0"}


NOTICES = [
    ("q=bread", None),
    ("q=&playlist=PLa", None),
    ("playlist=PLgone", "A source of this search is not in your library any more."),
    ("playlist=PLa&playlist=PLx&playlist=PLy", "2 sources of this search are not in your library any more."),
]


@pytest.mark.parametrize(("query", "notice"), NOTICES)
def test_a_source_that_is_gone_is_said(query: str, notice: str | None) -> None:
    assert begin(query=query).view({"PLa": "A"})["notice"] == notice


def test_parameters_of_a_page_are_no_part_of_a_search() -> None:
    text = "?q=a%20b&limit=5&cursor=x&new_in=y&format=csv&playlist=PLa&playlist=PLb&after=2024"
    arguments = Arguments(text)
    assert parse_qsl(arguments.text) == [
        ("q", "a b"),
        ("playlist", "PLa"),
        ("playlist", "PLb"),
        ("after", "2024"),
    ]
    assert Arguments(arguments.text).text == arguments.text
    assert arguments.getlist("playlist") == ["PLa", "PLb"]
    assert arguments.get("sort") is None


QUERIES = ["\ud800", "a" * 8_001, "&".join(["a=b"] * 501)]


@pytest.mark.parametrize("query", QUERIES)
def test_what_is_no_query_string_is_refused(query: str) -> None:
    with pytest.raises(BadRequest, match="expected the filters of a search"):
        Arguments(query)
