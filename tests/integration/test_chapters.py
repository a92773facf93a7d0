"""Titles of chapters are searched, named beside moments, and lead to their second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.search_library import TITLES, USER, SearchLibrary, empty_library, matches
from tests.stored_videos import video

BOATS = """About boats.

0:00 Welcome aboard
0:10 🧵 Sewing the sails
0:20 Knots: the bowline
0:30 Questions
0:40 Sewing the sails
"""
SPOKEN = [f"we talk about something else {number}" for number in range(10)]
SPOKEN[6] = "and this bowline is hard to tie"


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with empty_library(elasticsearch_url) as library:
        videos = [
            video("boats", "Boats", "en", *SPOKEN, description=BOATS, duration_seconds=60),
            video("silent", "Silent", None, description=BOATS, duration_seconds=60),
            video("prose", "Prose", "en", "no", description="Sewing sails, a bowline", duration_seconds=60),
        ]
        library.write(*videos)
        library.put("PLtalks", videos)
        yield library


def moments(library: SearchLibrary, q: str, video_id: str = "boats", **params: Any) -> list[dict[str, Any]]:
    hits = library.search(q, **params)["hits"]
    return next(hit["moments"] for hit in hits if hit["video_id"] == video_id)


def test_a_title_leads_to_its_second(library: SearchLibrary) -> None:
    found = moments(library, "questions")
    assert [matches(each.pop("snippet")) for each in found] == [["Questions"]]
    url = "https://www.youtube.com/watch?v=boats&t=30s"
    assert found == [{"start": 30, "line": 8, "chapter": "Questions", "url": url, "is_chapter": True}]
    silent = moments(library, "questions", "silent")
    assert [(each["start"], each["line"], each["chapter"]) for each in silent] == [(30, None, "Questions")]


def test_titles_are_folded_and_stemmed(library: SearchLibrary) -> None:
    for q in (
        "chapter:sew",
        'chapter:"sewing the SAILS"',
        "chapter:séwing",
        "chapter:sew*",
        "chapter:sewinf~",
    ):
        assert library.ids(q) == ["boats", "silent"], q
        assert [each["start"] for each in moments(library, q)] == [10, 40], q
    assert library.ids('chapter:"sails knots"') == []
    assert library.ids('chapter:"sails knots"~50') == []
    assert library.ids("chapter:boats") == []
    assert sorted(library.ids("-chapter:sewing")) == ["prose"]
    assert sorted(library.ids("bowline", texts=("chapter",))) == ["boats", "silent"]


def test_a_spoken_moment_names_its_chapter_and_stands_beside_titles(library: SearchLibrary) -> None:
    found = moments(library, "bowline")
    described = [(each["start"], each["chapter"], each.get("is_chapter", False)) for each in found]
    assert described == [(20, "Knots: the bowline", True), (24.5, "Knots: the bowline", False)]
    assert [each["start"] for each in moments(library, "bowline", texts=("transcript",))] == [24.5]
    # The whole query is said there, and only a part of it is in the title.
    assert [each["start"] for each in moments(library, "bowline tie")] == [24.5]
    assert [each["start"] for each in moments(library, "chapter:bowline tie")] == [20, 24.5]
    hit = library.search("bowline OR sewing OR questions")["hits"][0]
    assert (hit["moment_count"], len(hit["moments"])) == (5, 5)


def test_a_video_shows_its_chapters(library: SearchLibrary) -> None:
    about, _ = library.service.video(USER, TITLES, "boats")
    assert about["chapters"][1] == {"start": 10, "title": "🧵 Sewing the sails"}
    assert library.service.video(USER, TITLES, "prose")[0]["chapters"] == []
    found = library.service.matches(USER, TITLES, "boats", "sewing bowline")
    assert [each["chapter"] for each in found["chapters"]] == [1, 2, 4]
    marks = [part["text"] for part in found["chapters"][0]["segments"] if part["match"]]
    assert marks == ["Sewing"]
    assert library.service.matches(USER, TITLES, "boats", "questions")["moments"] == [8]
    assert library.service.matches(USER, TITLES, "silent", "questions")["moments"] == []
