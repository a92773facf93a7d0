"""When no video has all words: the places that have most of them, in the caller's own library."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.search.params import Params
from shared.search.service import Search
from tests.integration.search_library import TITLES, USER, SearchLibrary, empty_library, matches
from tests.stored_videos import StoredVideo, video

FILLER = ["and then we talked about other things for a while"] * 20
VIDEOS = [
    video(
        "garden", "In the garden", "en", "water the tomatoes in the morning", *FILLER, "and the soil dries"
    ),
    video(
        "harvest", "The harvest", "en", *FILLER, "the tomatoes need rich soil", "and little water", *FILLER
    ),
    video("soil", "Soil", "en", "tomatoes are red", duration_seconds=3000),
    video("rain", "Rain", "en-GB", "water and water and water", *FILLER, "it rained", generated=True),
    *(video(f"water{number}", "Rivers", "en", "the water", *FILLER) for number in range(8)),
]
#: Of somebody else. It has all words, and there "tomatoes" is the most frequent word.
OTHERS = [video(f"other{number}", "x", "en", "tomatoes basil water soil tomatoes") for number in range(30)]


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with empty_library(elasticsearch_url) as library:
        library.write(*VIDEOS, *OTHERS)
        library.put("PLtalks", VIDEOS)
        library.put("PLmore", VIDEOS[:1])
        library.put("PLothers", OTHERS, user_id="eve")
        yield library


def missing(answer: dict[str, Any]) -> dict[str, list[str]]:
    return {hit["video_id"]: hit["missing"] for hit in answer["hits"]}


def test_the_best_place_comes_first_and_missing_words_are_named(library: SearchLibrary) -> None:
    answer = library.search("tomatoes basil water soil")
    assert (answer["match"], answer["cursor"], answer["missing"]) == ("some_words", None, ["basil"])
    assert answer["notices"] == ["No video has all of your words. These places have most of them."]
    # Three words in one place; two rare ones, one of them in the title; a rare and a frequent one.
    assert [hit["video_id"] for hit in answer["hits"]] == ["harvest", "soil", "garden"]
    assert missing(answer) == {
        "harvest": ["basil"],
        "garden": ["basil"],
        "soil": ["basil", "water"],
    }
    assert answer["total"] == 3
    assert answer["facets"]["playlists"][0] == {"value": "PLtalks", "title": "Talks", "count": 3}
    (place,) = answer["hits"][0]["moments"]
    assert matches(place["snippet"]) == ["tomatoes", "soil", "water"]
    assert place["line"] == 20


def test_rare_words_weigh_more_and_those_of_others_count_nothing(library: SearchLibrary) -> None:
    """Each of ten videos has "water", and one "rained". With the library of eve, "rained" is not rarer."""
    answer = library.search("rained tomatoes water water red")
    assert answer["hits"][0]["video_id"] == "soil"
    assert library.search("rained morning")["total"] == 2
    both = Search(library.server).search(
        USER, TITLES | {"PLothers": ""}, Params(q="tomatoes basil water soil")
    )
    assert both["match"] == "some_words", "the playlist of eve is none of ada's"
    eves = Search(library.server).search("eve", {"PLothers": ""}, Params(q="tomatoes basil water soil"))
    assert (eves["match"], eves["total"]) == ("all_words", 30)
    assert library.search("basil zanzibar")["total"] == 0
    assert library.search("basil zanzibar")["match"] == "all_words"


@pytest.mark.parametrize(
    ("q", "params", "found"),
    [
        ("tomatoes basil soil", {"required": ("water",)}, {"harvest": ["basil"], "garden": ["basil"]}),
        ("tomatoes water basil", {"required": ("Water", "basil")}, {}),
        ('"rich soil" basil water', {}, {"harvest": ["basil"]}),
        ('"rich soil" basil zanzibar', {}, {"harvest": ["basil", "zanzibar"]}),
        ("tomatoes basil -water", {}, {"soil": ["basil"]}),
        ("title:soil basil tomatoes", {}, {"soil": ["basil"]}),
        ("(tomatoes basil) (red)", {}, {"soil": ["basil"]}),
        ("tomatoes basil longer:30m", {}, {"soil": ["basil"]}),
        ("basil water language:en-GB", {}, {"rain": ["basil"]}),
        ("basil tomatoes", {"minimum_minutes": 40.0}, {"soil": ["basil"]}),
        ("basil tomatoes", {"playlists": ("PLmore",)}, {"garden": ["basil"]}),
        ("basil OR zanzibar", {}, {}),
        ("basil", {}, {}),
        ("tomatoes basil", {"among": ("soil",)}, {}),
        ("tom* basil zanzibar", {}, {"soil": ["basil", "zanzibar"], "garden": [], "harvest": []}),
    ],
)
def test_everything_but_plain_words_holds(
    q: str, params: dict[str, Any], found: dict[str, list[str]], library: SearchLibrary
) -> None:
    answer = library.search(q, **params)
    assert set(missing(answer) if answer["match"] == "some_words" else ()) == set(found)
    assert answer["total"] == len(found)
    for video_id, words in found.items():
        assert not words or missing(answer)[video_id] == words


def test_filters_are_named_and_spellings_go_on(library: SearchLibrary) -> None:
    narrowed = library.search("basil tomatoes", playlists=("PLmore",))
    assert narrowed["notices"][0].startswith("No video within your filters has all of your words.")
    assert library.search("tomatoez water rich")["did_you_mean"] == "tomatoes water rich"
    assert library.search("tomatoez water rich")["missing"] == ["tomatoez"]


def test_exports_say_what_is_missing_and_saved_searches_take_all_words(library: SearchLibrary) -> None:
    hits = list(library.service.every_hit(USER, TITLES, Params(q="tomatoes basil water soil", limit=1)))
    assert [(hit["video_id"], hit["match"]) for hit in hits] == [
        ("harvest", "some_words"),
        ("soil", "some_words"),
        ("garden", "some_words"),
    ]
    assert list(hits[0])[-2:] == ["match", "missing"]
    (whole,) = library.service.every_hit(USER, TITLES, Params(q="rained water"))
    assert (whole["match"], whole["missing"]) == ("all_words", [])
    assert library.service.ids(USER, TITLES, Params(q="tomatoes basil water soil")) == []
    assert library.service.ids(USER, TITLES, Params(q="water", required=("rained",))) == ["rain"]
    assert library.search("", required=("rained",))["total"] == 1


def test_long_and_strange_words(library: SearchLibrary) -> None:
    many = " ".join(["water", *(f"word{number}" for number in range(63))])
    assert library.search(many)["hits"][0]["missing"] == [f"word{number}" for number in range(63)]
    for q in ("\ud800 water \x00 basil", "water " + "x" * 1900, "water C++ ☆ 機械", "ｗａｔｅｒ basil"):
        assert library.search(q)["hits"], q


def test_a_video_without_captions_is_its_own_place(elasticsearch_url: str) -> None:
    silent: StoredVideo = video("silent", "Olive trees", None, description="How to prune them in spring.")
    with empty_library(elasticsearch_url) as library:
        library.write(silent)
        library.put("PLtalks", [silent])
        (hit,) = library.search("olive prune autumn")["hits"]
        assert (hit["missing"], hit["moments"]) == (["autumn"], [])
