"""Saved searches over HTTP: what is new in them, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from shared import clock
from shared.errors import Transient
from shared.keep import searches as saved_searches
from shared.library.memberships import Memberships
from shared.search.params import Params
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.integration.keeping import Person, feed_of
from tests.integration.search_library import VIDEOS, config_of
from tests.stored_videos import video

BY_ID = {each.video_id: each for each in VIDEOS}


# -- what is new -------------------------------------------------------------------------------------


def test_a_hit_that_comes_later_is_new_until_it_is_seen(keeper: Person) -> None:
    made = keeper.save("q=sea&sort=newest", title=" The sea ")
    assert {
        name: made[name] for name in ("title", "query", "total", "new", "new_since", "feed", "notice")
    } == {
        "title": "The sea",
        "query": "q=sea&sort=newest",
        "total": 1,
        "new": 0,
        "new_since": None,
        "feed": None,
        "notice": None,
    }
    assert keeper.the_saved() == made, "the library has not changed, so nothing is looked for"
    assert keeper.new_in(made) == []
    keeper.put("tides", "foret", "ropes", "les")
    found = keeper.the_saved()
    assert (found["total"], found["new"]) == (2, 1)
    assert found["new_since"] == found["checked_at"] > made["checked_at"]
    assert keeper.new_in(made) == ["ropes"]
    seen = keeper.ask("POST", f"/api/searches/{made['id']}/seen")
    assert (seen["new"], seen["total"]) == (0, 2)
    assert keeper.new_in(made) == []
    assert keeper.the_saved() == seen


def test_new_hits_are_narrowed_by_all_other_filters_and_exported(keeper: Person) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "foret", "ropes", "quiet")
    assert keeper.the_saved()["new"] == 2
    assert keeper.new_in(made) == ["quiet", "ropes"]
    assert keeper.new_in(made, "&language=en") == ["ropes"]
    assert keeper.new_in(made, "&max_minutes=2") == ["quiet"]
    assert keeper.new_in(made, "&playlist=PLmine") == ["quiet", "ropes"]
    assert keeper.new_in(made, "&playlist=PLother") == []
    # Each page has one of them.
    first = keeper.ask("GET", f"/api/search?q=sea&new_in={made['id']}&limit=1")
    keeper.ask("POST", f"/api/searches/{made['id']}/seen")
    query = f"/api/search?q=sea&new_in={made['id']}&limit=1&cursor={first['cursor']}"
    assert (first["total"], keeper.ask("GET", query)["hits"]) == (2, []), "seen meanwhile"


@pytest.mark.parametrize("order", ["sort=added", "sort=playlist&playlist=PLmine", "sort=newest"])
def test_new_hits_are_shown_in_any_order(order: str, keeper: Person) -> None:
    made = keeper.save(f"q=sea&{order}")
    keeper.put("tides", "ropes", "quiet")
    assert keeper.the_saved()["new"] == 2
    assert keeper.new_in(made) == ["quiet", "ropes"]
    assert {entry.title for entry in feed_of(keeper, made).entries} == {
        "A quiet sea",
        "Knots and ropes for sailors",
    }


def test_a_search_for_what_came_lately_knows_when_that_was(keeper: Person) -> None:
    keeper.save("q=sea&added_after=2024-06-01")
    keeper.put("tides", "ropes", "quiet", added={"ropes": datetime(2024, 7, 1, tzinfo=UTC)})
    assert (keeper.the_saved()["new"], keeper.the_saved()["total"]) == (1, 1)
    assert [entry.id.rpartition("/")[2] for entry in feed_of(keeper, keeper.the_saved()).entries] == ["ropes"]


def test_what_came_after_the_answer_that_was_seen_stays_new(keeper: Person) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "ropes")
    shown = keeper.the_saved()
    keeper.put("tides", "ropes", "quiet")
    assert keeper.the_saved()["new"] == 2
    seen = keeper.ask("POST", f"/api/searches/{made['id']}/seen", {"checked_at": shown["checked_at"]})
    assert seen["new"] == 1
    assert keeper.new_in(made) == ["quiet"]


def test_a_video_that_leaves_is_not_new_any_more(keeper: Person) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "ropes", "quiet")
    assert keeper.the_saved()["new"] == 2
    keeper.put("tides", "quiet")
    assert (keeper.the_saved()["new"], keeper.the_saved()["total"]) == (1, 2)
    assert keeper.new_in(made) == ["quiet"]


def test_an_edited_transcript_is_noticed_when_the_job_of_its_video_ends(keeper: Person) -> None:
    made = keeper.save("q=chronometer")
    job = f"job-{uuid4().hex[:8]}"
    later = video("tides", "How tides work", "en-GB", "a chronometer on board")
    keeper.site.library.write(later, version=2)
    try:
        assert keeper.the_saved()["new"] == 0
        now = clock.now()
        fields = {"user_id": keeper.user_id, "playlist_id": "PLmine", "video_id": "tides", "state": "done"}
        keeper.site.db.commit().create(f"jobs/{job}", {**fields, "created_at": now, "finished_at": now}).run()
        assert keeper.the_saved()["new"] == 1
        assert keeper.new_in(made) == ["tides"]
    finally:
        keeper.site.library.write(BY_ID["tides"], version=3)


def test_a_hit_in_a_language_that_is_new_to_the_library_is_found_at_once(keeper: Person) -> None:
    """The word is found by its stem, which only the analyzer of the language knows."""
    made = keeper.save("q=haus")
    keeper.put("tides", "haus")
    assert keeper.the_saved()["new"] == 1
    assert made["total"] == 0


def test_two_readings_at_once_lose_nothing(keeper: Person) -> None:
    for always in ("", "&after=1990-01-01", "&before=2100-01-01"):
        keeper.save(f"q=sea{always}")
    keeper.put("tides", "ropes", "quiet")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: keeper.saved(), range(4)))
    for found in (*answers, keeper.saved()):
        assert [each["new"] for each in found] == [2, 2, 2]


def test_a_search_of_more_hits_than_one_answer_of_the_index(
    keeper: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.search.pages.WINDOW", 2)
    keeper.put(*BY_ID)
    assert keeper.save("q=")["total"] == len(VIDEOS)
    monkeypatch.setattr("shared.search.pages.MAXIMUM_IDS", 5)
    problem = keeper.ask("POST", "/api/searches", {"query": "q=&after=1990-01-01"}, 400)
    assert problem["detail"] == "This search finds more than 5 videos. Narrow it."
    # It was saved while it found less.
    keeper.put(*BY_ID, playlist="PLagain")
    assert "Narrow it" in keeper.the_saved()["notice"]
    assert keeper.the_saved()["total"] == len(VIDEOS)
    keeper.put("tides", playlist="PLagain")
    keeper.put("tides", "ropes")
    assert (keeper.the_saved()["notice"], keeper.the_saved()["total"]) == (None, 2)


def test_an_index_that_does_not_answer_changes_nothing(
    keeper: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "ropes")

    def fail(*_: object) -> list[str]:
        raise Transient("The search index did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(Search, "ids", fail)
        assert keeper.the_saved() == made
        keeper.ask("POST", "/api/searches", {"query": "q=rope"}, 503)
    assert keeper.the_saved()["new"] == 1


def test_a_missing_index_is_no_answer(elasticsearch_url: str) -> None:
    search = Search(SearchServer(config_of(elasticsearch_url, f"none-{uuid4().hex[:8]}")))
    assert search.ids("ada", {}, Params()) == []
    with pytest.raises(Transient):
        search.ids("ada", {"PLx": "X"}, Params(q="sea"))


def test_a_search_whose_playlist_is_gone_says_so(keeper: Person) -> None:
    keeper.put("ropes", playlist="PLother")
    keeper.save("q=sea&playlist=PLother")
    Memberships(keeper.site.db, keeper.site.library.index).remove(keeper.user_id, "PLother")
    found = keeper.the_saved()
    assert (found["total"], found["new"]) == (0, 0)
    assert found["notice"] == "A source of this search is not in your library any more."


def test_a_search_that_is_not_accepted_any_more_says_so(keeper: Person) -> None:
    made = keeper.save("q=sea")
    path = f"users/{keeper.user_id}/searches/{made['id']}"
    keeper.site.db.commit().update(path, {"query": "q=sea&sort=sideways"}).run()
    keeper.put("tides", "ropes")
    found = keeper.the_saved()
    assert "sort: expected one of" in found["notice"]
    assert (found["total"], found["new"]) == (1, 0)
    assert feed_of(keeper, made)["entries"] == []


# -- requests ----------------------------------------------------------------------------------------

BAD: list[tuple[str, str, object, int, str]] = [
    ("POST", "", {}, 400, "query: expected"),
    ("POST", "", [], 400, "JSON object"),
    ("POST", "", {"query": 7}, 400, "query: expected"),
    ("POST", "", {"query": "q=" + "a" * 8_000}, 400, "query: expected"),
    ("POST", "", {"query": "q=\ud800"}, 400, "query: expected"),
    ("POST", "", {"query": "sort=sideways"}, 400, "sort: expected one of"),
    ("POST", "", {"query": "after=tomorrow"}, 400, "after: expected a date"),
    ("POST", "", {"query": "in=nowhere"}, 400, "in: expected some of"),
    ("POST", "", {"query": "&".join(f"playlist=PL{n}" for n in range(101))}, 400, "at most 100 values"),
    ("POST", "", {"query": "q=a", "title": ""}, 400, "title: expected 1 to 100"),
    ("POST", "", {"query": "q=a", "title": "a" * 101}, 400, "title: expected 1 to 100"),
    ("POST", "", {"query": "q=a", "title": ["a"]}, 400, "title: expected 1 to 100"),
    ("POST", "", {"query": "q=a", "title": "\udc00"}, 400, "title: expected 1 to 100"),
    ("PATCH", "/ID", {}, 400, "title: expected 1 to 100"),
    ("PATCH", "/ID", {"title": "  "}, 400, "title: expected 1 to 100"),
    ("PATCH", "/nobodys", {"title": "x"}, 404, "no such saved search"),
    ("POST", "/ID/seen", {"checked_at": "yesterday"}, 400, "checked_at: expected"),
    ("POST", "/ID/seen", {"checked_at": 7}, 400, "checked_at: expected"),
    ("POST", "/nobodys/seen", None, 404, "no such saved search"),
    ("POST", "/__x__/seen", None, 404, "no such saved search"),
    ("DELETE", "/nobodys", None, 404, "no such saved search"),
    ("DELETE", "/%00", None, 404, "no such saved search"),
    ("POST", "/nobodys/feed", None, 404, "no such saved search"),
    ("DELETE", "/ID/feed", None, 404, "has no feed"),
    ("PUT", "/ID", {}, 405, "is not possible here"),
]


def test_bad_requests_are_answered_with_a_sentence(keeper: Person) -> None:
    made = keeper.save("q=sea")
    wrong = []
    for method, path, body, status, detail in BAD:
        address = f"/api/searches{path.replace('ID', made['id'])}"
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {keeper.token}"}
        answer = keeper.site.keep.open(address, method=method, data=data, headers=headers)
        if answer.status_code != status or detail not in answer.get_json()["detail"]:
            wrong.append((method, path, body, answer.status_code, answer.data[:200]))
    assert wrong == []
    assert keeper.the_saved() == made
    keeper.ask("GET", "/api/search?q=sea&new_in=nobodys", status=404)
    keeper.ask("GET", "/api/search?q=sea&new_in=a%2Fb", status=400)


TITLES = [
    ("q=the++sea", "the sea"),
    ("q=", "All videos"),
    ("sort=newest", "All videos"),
    ("q=" + "a" * 150, "a" * 100),
]


@pytest.mark.parametrize(("query", "title"), TITLES)
def test_a_search_without_a_title_is_named_by_its_words(query: str, title: str, keeper: Person) -> None:
    assert keeper.save(query)["title"] == title


def test_a_search_is_renamed_and_deleted(keeper: Person) -> None:
    one, two = keeper.save("q=sea", title="b"), keeper.save("q=rope", title="a")
    assert [each["title"] for each in keeper.saved()] == ["a", "b"]
    assert keeper.ask("PATCH", f"/api/searches/{one['id']}", {"title": "A first"})["title"] == "A first"
    keeper.ask("DELETE", f"/api/searches/{two['id']}", status=204)
    assert [each["title"] for each in keeper.saved()] == ["A first"]
    keeper.ask("GET", f"/api/search?q=sea&new_in={two['id']}", status=404)


def test_a_user_has_a_hundred_of_them(keeper: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    assert saved_searches.MAXIMUM == 100
    monkeypatch.setattr(saved_searches, "MAXIMUM", 2)
    keeper.save("q=a")
    keeper.save("q=b", title="The letter")
    problem = keeper.ask("POST", "/api/searches", {"query": "?q=b&limit=5"}, 409)
    assert problem["detail"] == "You have saved this search already, as “The letter”."
    assert "Delete one first" in keeper.ask("POST", "/api/searches", {"query": "q=c"}, 409)["detail"]


def test_saved_searches_of_others_are_out_of_reach(keeper: Person, new_keeper: Callable[[], Person]) -> None:
    made = keeper.save("q=sea")
    keeper.put("tides", "ropes")
    assert keeper.the_saved()["new"] == 1
    eve = new_keeper()
    eve.put("tides", "ropes")
    assert eve.saved() == []
    eve.ask("GET", f"/api/search?q=sea&new_in={made['id']}", status=404)
    eve.ask("DELETE", f"/api/searches/{made['id']}", status=404)
    eve.ask("POST", f"/api/searches/{made['id']}/seen", status=404)
    assert keeper.the_saved()["new"] == 1
