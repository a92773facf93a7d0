"""Search against the real Elasticsearch: what is found, and at which second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import search
from shared.analysis import fold
from shared.search_params import Params
from tests.integration.search_library import (
    LIBRARY,
    USER,
    VIDEOS,
    ask,
    environment,
    fill,
    ids,
    matches,
    plain,
)

pytestmark = pytest.mark.usefixtures("elasticsearch_url")


@pytest.fixture(scope="module", autouse=True)
def index(elasticsearch_url: str) -> Iterator[None]:
    with environment():
        fill()
        yield


def seconds(q: str, video_id: str, **more: Any) -> list[int]:
    (hit,) = (hit for hit in ask(q, **more)["hits"] if hit["video_id"] == video_id)
    assert hit["moment_count"] >= len(hit["moments"])
    return [moment["start"] for moment in hit["moments"]]


def test_a_phrase_across_lines_is_found_at_both_its_seconds() -> None:
    answer = ask('"why the sea rises twice a day"')
    assert answer["total"] == 1
    (hit,) = answer["hits"]
    assert hit["moment_count"] == 2
    assert [moment["start"] for moment in hit["moments"]] == [0, 16]
    assert hit["moments"][1]["url"] == "https://www.youtube.com/watch?v=tides&t=16s"
    for moment in hit["moments"]:
        assert matches(moment["snippet"])[0].startswith("why the sea rises twice")
    assert hit["url"] == "https://www.youtube.com/watch?v=tides"


@pytest.mark.parametrize(
    ("q", "found"),
    [
        # words are ANDed, over title, description and transcript
        ("sea moon", {"tides"}),
        ("knots rough", {"ropes"}),
        ("waves quiet", {"quiet"}),
        ("sea nonsenseword", set()),
        # phrases are exact, over lines too
        ('"the water and so does"', {"tides"}),
        ('"sailor"', set()),
        ('"pulls the water"', {"tides"}),
        ('"water the pulls"', set()),
        # or, not, brackets
        ("moon OR bowline", {"tides", "ropes", "quiet"}),
        ("moon | knots", {"tides", "ropes"}),
        ("sea -moon", {"ropes", "quiet"}),
        ('sea -"was rough"', {"tides", "quiet"}),
        ("sea (moon OR rough)", {"tides", "ropes"}),
        ("sea -(moon OR rough)", {"quiet"}),
        # prefix, fuzzy, near
        ("bowl*", {"ropes", "quiet"}),
        ("bolwine~", {"ropes", "quiet"}),
        ('"moon sun"~8', {"tides"}),
        ('"moon sun"~2', set()),
        # fields
        ("title:sea", {"quiet"}),
        ("description:bowline", {"quiet"}),
        ('title:"quiet sea"', {"quiet"}),
        ("channel:cafe", {"ropes"}),
        ("channel:(harbour talks) sea", {"tides", "quiet"}),
        ("language:fr", {"foret"}),
        ("language:de", {"haus"}),
        ("language:zh", {"jiqi"}),
        ("before:2022", {"tides"}),
        ("after:2024-02-29", {"foret"}),
        ("longer:20m", {"tides", "foret"}),
        ("shorter:2m", {"quiet"}),
        ("sea longer:20m", {"tides"}),
        ("shorter:2m OR language:ko", {"quiet", "hakgyo"}),
        # languages: stemmed unless quoted, accents and case do not matter
        ("sailor knot", {"ropes"}),
        ("pulling", {"tides", "ropes"}),
        ("ETUDE", {"foret"}),
        ("étude foret", {"foret"}),
        ('"FORET A COTE"', {"foret"}),
        ("haus", {"haus"}),
        ("hauser", {"haus"}),
        ("großer", {"haus"}),
        ("don't", {"tides"}),
        ("don’t", {"tides"}),
        ("елочка", {"les"}),
        ("лес", {"les"}),
        ("Qapla'", {"klingon"}),
        ("QAPLA", {"klingon"}),
        # scripts without spaces
        ("机器学习", {"jiqi"}),
        ('"学习机器学习的"', {"jiqi"}),
        ("機械学習", {"kikai"}),
        ("コンピュータ", {"kikai"}),
        ("コンピュ*", {"kikai"}),
        ("学習*", {"kikai"}),
        ("学*", {"kikai", "jiqi"}),
        ("机器学*", {"jiqi"}),
        ("เรียน*", {"thai"}),
        ("机器学习 。", {"jiqi"}),
        ('"ピューター"', {"kikai"}),
        ("학교", {"hakgyo"}),
        ('"공부"', {"hakgyo"}),
        ("เรียนรู้", {"thai"}),
        ('"เรียนรู้ของเครื่อง"', {"thai"}),
        # without captions the language is that of the title
        ("wave", {"quiet"}),
        # marks of direction, as they are pasted
        ("\u202bsea moon\u202c", {"tides"}),
        # stop words are not lost
        ('"is a knot for"', {"ropes"}),
        ("the sea", {"tides", "ropes"}),
        # what cannot be understood is words
        ("lecture: ocean", {"tides"}),
        ('"quiet sea', {"quiet"}),
        ("sea AND (moon", {"tides"}),
        ("?!", set()),
    ],
)
def test_what_is_found(q: str, found: set[str]) -> None:
    assert set(ids(q)) == found
    assert ask(q)["total"] == len(found)


def test_nothing_asked_for_is_the_whole_library() -> None:
    assert set(ids("")) == {each.video_id for each in VIDEOS}


@pytest.mark.parametrize(
    ("q", "video_id", "starts"),
    [
        ("bowline", "ropes", [0]),
        ("sailors", "ropes", [0, 8]),
        ('"pulled sailors tied"', "ropes", [4]),
        ("pull", "tides", [4, 12]),
        ("moon sun", "tides", [4]),
        ("机器学习", "jiqi", [0, 8]),
        ("コンピューター", "kikai", [4]),
        ('"forêt à côté"', "foret", [0]),
        ("เครื่อง", "thai", [4]),
        ("лес", "les", [0, 4]),
        ("title:tides moon", "tides", [4]),
    ],
)
def test_the_second_is_that_of_the_line_in_which_the_match_begins(
    q: str, video_id: str, starts: list[int]
) -> None:
    assert seconds(q, video_id) == starts


@pytest.mark.parametrize(
    ("q", "video_id"),
    [("ocean", "tides"), ("title:tides", "tides"), ("quiet", "quiet"), ("language:fr", "foret")],
)
def test_what_stands_in_no_transcript_has_no_moment(q: str, video_id: str) -> None:
    assert seconds(q, video_id) == []


def test_in_restricts_the_texts() -> None:
    assert set(ids("bowline", texts=("transcript",))) == {"ropes"}
    assert set(ids("bowline", texts=("description",))) == {"quiet"}
    assert set(ids("sea", texts=("title",))) == {"quiet"}
    assert seconds("sea", "quiet", texts=("title", "description")) == []


def test_titles_and_descriptions_are_segments() -> None:
    (hit,) = ask("lecture tides")["hits"]
    assert plain(hit["title"]) == "How tides work"
    assert matches(hit["title"]) == ["tides"]
    assert matches(hit["description"]) == ["lecture"]
    assert hit["published_at"] == "2021-03-01T00:00:00.000Z"
    assert (hit["duration_seconds"], hit["language"], hit["generated"]) == (1500, "en-GB", False)


def test_title_over_transcript_over_description() -> None:
    assert ids("bowline") == ["ropes", "quiet"]
    assert ids("sea")[0] == "quiet"


def test_markup_stays_text() -> None:
    assert "<" not in "".join(plain(hit["title"]) for hit in ask("sea")["hits"])


def test_filters_and_facets() -> None:
    answer = ask("sea")
    facets = answer["facets"]
    assert {each["value"]: each["count"] for each in facets["channels"]} == {"UCharbour": 2, "UCcorderie": 1}
    assert {"value": "UCcorderie", "title": "Café Corderie", "count": 1} in facets["channels"]
    assert {each["value"]: each["count"] for each in facets["years"]} == {"2023": 2, "2021": 1}
    assert {each["value"]: each["count"] for each in facets["languages"]} == {"en": 1, "en-GB": 1}
    assert {each["title"]: each["count"] for each in facets["playlists"]} == {"Talks": 2, "More": 1}

    assert ids("sea", channels=("UCcorderie",)) == ["ropes"]
    assert ids("sea", channels=("Café Corderie",)) == ["ropes"]
    assert set(ids("sea", languages=("en",))) == {"tides", "ropes"}
    assert ids("sea", languages=("en-GB",)) == ["tides"]
    assert ids("sea", playlists=("PLmore",)) == ["quiet"]
    assert ids("sea", after="2022-01-01", before="2023-05-17") == []
    assert set(ids("sea", after="2023-05-17")) == {"ropes", "quiet"}
    assert ids("sea", minimum_minutes=5, maximum_minutes=5) == ["ropes"]


def test_a_facet_is_narrowed_by_the_other_filters_and_not_by_its_own() -> None:
    answer = ask("sea", channels=("UCharbour",), languages=("en-GB",))
    assert answer["total"] == 1
    facets = {
        name: {each["value"]: each["count"] for each in found} for name, found in answer["facets"].items()
    }
    assert facets["channels"] == {"UCharbour": 1}
    assert facets["languages"] == {"en-GB": 1}
    answer = ask("sea", channels=("UCharbour",))
    facets = {
        name: {each["value"]: each["count"] for each in found} for name, found in answer["facets"].items()
    }
    assert facets["channels"] == {"UCharbour": 2, "UCcorderie": 1}
    assert facets["playlists"] == {"PLtalks": 1, "PLmore": 1}


def test_sorts() -> None:
    assert ids("sea", sort="longest") == ["tides", "ropes", "quiet"]
    assert ids("sea", sort="shortest") == ["quiet", "ropes", "tides"]
    assert ids("", sort="newest")[0] == "foret"
    assert ids("", sort="oldest")[0] == "tides"


PIECES = [
    *'"()|-*~:+!&^[]{}\\/<>. é😀',
    *(
        "sea",
        "moon",
        "rope",
        " OR ",
        " AND ",
        "title:",
        "after:",
        "language:",
        "longer:",
        "the",
        "机器",
        "~9",
    ),
    *("\ue000", "\x00", "\ud800", "a" * 300),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=60))
def test_any_query_is_answered_and_every_moment_holds_a_match(q: str) -> None:
    answer = ask(q)
    assert answer["total"] >= len(answer["hits"])
    for hit in answer["hits"]:
        (document,) = (each for each in VIDEOS if each.video_id == hit["video_id"])
        said = fold(" ".join(line.text for line in document.lines))
        for moment in hit["moments"]:
            assert matches(moment["snippet"])
            assert moment["start"] in {int(line.start) for line in document.lines}
            for match in matches(moment["snippet"]):
                assert fold(match).replace(" ", "") in said.replace(" ", "").replace(":", "")


@pytest.mark.parametrize(
    "q", ["a*" * 900, "sea " * 500, '"' + "sea " * 400 + '"', "s* t* " * 300, "~ " * 900, "🌊" * 2000]
)
def test_costly_queries_are_bounded(q: str) -> None:
    assert ask(q[:2000])["took_ms"] < 5000


def test_an_empty_library_finds_nothing() -> None:
    answer = search.search([], USER, Params(q="sea"))
    assert (answer["total"], answer["hits"], answer["cursor"]) == (0, [], None)
    assert search.search(["PLunknown"], USER, Params(q="sea"))["total"] == 0
    assert search.search(LIBRARY, "nobody", Params(q="sea"))["total"] == 0
