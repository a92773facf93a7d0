"""Suggestions, spellings, exports and transcripts of a library, and nothing of anybody else's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from shared.errors import NotFound
from shared.search import export
from shared.search.params import Params
from shared.search.service import Search
from shared.search.snippets import plain
from shared.transcripts import subtitles
from tests.integration.search_library import (
    TITLES,
    USER,
    VIDEOS,
    SearchLibrary,
    empty_library,
    filled_library,
)
from tests.stored_videos import StoredVideo, video

EVES = {"PLsecret": "Secrets"}


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with filled_library(elasticsearch_url) as library:
        yield library


@pytest.fixture(scope="module")
def search(library: SearchLibrary) -> Search:
    return library.service


@pytest.mark.parametrize(
    ("typed", "suggested"),
    [
        ("kno", "Knots and ropes for sailors"),
        ("knots and ro", "Knots and ropes for sailors"),
        ("ETUD", "Les études de la forêt"),
        ("harb", "Harbour Talks"),
        ("cafe", "Café Corderie"),
        ("the sea ri", "the sea rises"),
        ("机", "机器学习"),
    ],
)
def test_suggestions(search: Search, typed: str, suggested: str) -> None:
    assert suggested in search.suggest(USER, TITLES, typed)


@pytest.mark.parametrize("typed", ["", " ", "x", '"', "zzzz", "*" * 5000, "\ud800 \x00", "(((", "a" * 300])
def test_nothing_to_suggest(search: Search, typed: str) -> None:
    assert search.suggest(USER, TITLES, typed) == []


@pytest.mark.parametrize(
    ("q", "meant"),
    [
        ("bolwine", "bowline"),
        ("the saa rises", "the sea rises"),
        ('"bowlin is a knto"', '"bowline is a knot"'),
        ("drawigns -bowline", "drawings -bowline"),
        ("bowline", None),
        ("qqqqqqqq", None),
    ],
)
def test_a_query_without_hits_gets_another_spelling(
    library: SearchLibrary, q: str, meant: str | None
) -> None:
    answer = library.search(q)
    assert answer["did_you_mean"] == meant
    assert meant is None or library.search(meant)["total"]


def test_a_query_with_few_hits_gets_another_spelling_that_has_many_more(library: SearchLibrary) -> None:
    many = [video(f"many{number}", "Weather", "en", "the hurricane came") for number in range(25)]
    odd = video("odd", "Weather", "en", "the huricane came, a curlicue of clouds")
    library.write(*many, odd)
    library.put("PLweather", [*many, odd], user_id="zoe")

    def meant(q: str) -> str | None:
        answer = library.service.search("zoe", {"PLweather": ""}, Params(q=q))
        found: str | None = answer["did_you_mean"]
        return found

    assert meant("huricane") == "hurricane"
    assert meant("the huricane came") == "the hurricane came"
    # Quoted words are meant as they are, and a word without similar ones is right.
    assert meant('"huricane"') is None
    assert meant("curlicue") is None
    assert meant("hurricane") is None


def test_nothing_of_another_library_is_found(library: SearchLibrary, search: Search) -> None:
    assert search.search("eve", EVES, Params(q="zanzibarites"))["total"] == 1
    assert library.search("zanzibarites")["total"] == 0
    # Not even with the id of somebody else's playlist.
    assert search.search(USER, TITLES | EVES, Params(q="zanzibarites"))["total"] == 0
    assert library.search("sea", playlists=("PLsecret",))["total"] == 0
    assert "secret" not in library.ids("sea OR -sea")
    assert library.search("zanzibaritess")["did_you_mean"] is None
    assert search.suggest(USER, TITLES, "zanz") == search.suggest(USER, TITLES, "secr") == []
    assert search.suggest("eve", EVES, "secr") == ["Secret bowline sea"]
    with pytest.raises(NotFound):
        search.video(USER, TITLES, "secret")
    with pytest.raises(NotFound):
        search.matches(USER, TITLES, "secret", "sea")
    assert list(search.every_hit(USER, EVES, Params())) == []
    counts = [each["count"] for facet in library.search("")["facets"].values() for each in facet]
    assert max(counts) <= len(VIDEOS)


def test_an_export_has_every_hit_and_every_moment(library: SearchLibrary, search: Search) -> None:
    sea = Params(q="sea")
    hits = [json.loads(line) for line in export.as_jsonl(search.every_hit(USER, TITLES, sea))]
    assert {hit["video_id"] for hit in hits} == set(library.ids("sea"))
    assert all(len(hit["moments"]) == hit["moment_count"] for hit in hits)
    table = "".join(export.as_csv(search.every_hit(USER, TITLES, sea)))
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert [(row["video_id"], row["start"]) for row in rows] == [
        (hit["video_id"], start)
        for hit in hits
        for start in ([str(moment["start"]) for moment in hit["moments"]] or [""])
    ]
    assert rows[0]["title"] == plain(hits[0]["title"])


def test_an_export_has_the_hits_of_all_pages(library: SearchLibrary) -> None:
    search = Search(library.server, export_page=2)
    found = [hit["video_id"] for hit in search.every_hit(USER, TITLES, Params(limit=1))]
    assert sorted(found) == sorted(each.video_id for each in VIDEOS)


@pytest.mark.parametrize("stored", VIDEOS, ids=lambda stored: stored.video_id)
def test_a_transcript_has_the_lines_that_were_stored(search: Search, stored: StoredVideo) -> None:
    about, lines = search.video(USER, TITLES, stored.video_id)
    expected = stored.metadata
    assert (about["title"], about["channel"]) == (expected.title, expected.channel)
    assert about["description"] == expected.description
    assert lines == stored.lines


def test_a_video_that_does_not_exist(search: Search) -> None:
    for video_id in ("nowhere", "", "*", "a" * 5000):
        with pytest.raises(NotFound):
            search.video(USER, TITLES, video_id)
    with pytest.raises(NotFound):
        search.video(USER, {}, "tides")


def test_before_anything_is_indexed_nothing_is_found(elasticsearch_url: str) -> None:
    with empty_library(elasticsearch_url) as library:
        search = library.service
        assert library.search("sea")["total"] == 0
        assert search.suggest(USER, TITLES, "sea") == []
        assert list(search.every_hit(USER, TITLES, Params())) == []
        for read in (
            lambda: search.video(USER, TITLES, "tides"),
            lambda: search.matches(USER, TITLES, "tides", "sea"),
        ):
            with pytest.raises(NotFound):
                read()


def test_subtitles(search: Search) -> None:
    _, lines = search.video(USER, TITLES, "foret")
    assert subtitles.srt(lines).startswith(
        "1\n00:00:00,500 --> 00:00:04,400\nNous étudions la forêt\n\n2\n00:00:04,500 --> "
    )
    assert subtitles.vtt(lines).startswith(
        "WEBVTT\n\n00:00:00.500 --> 00:00:04.400\nNous étudions la forêt\n\n00:00:04.500 --> "
    )
    assert subtitles.txt(lines).splitlines()[1] == "à côté de la rivière"


def test_whole_videos_while_the_library_changes(elasticsearch_url: str) -> None:
    """Nothing is twice or missing; what is removed is left out; and nothing is of anybody else."""
    with empty_library(elasticsearch_url) as library:
        service = Search(library.server, whole_page=2)
        videos = [video(f"v{each}", f"Video {each}", "en", "some words") for each in range(1, 9)]
        library.write(
            *videos, video("v0", "Earlier", "en"), video("v41", "Later", "en"), video("x1", "Eve", "en")
        )
        library.put("PLtalks", videos[:6])
        library.put("PLmore", videos[5:])
        library.put("PLsecret", [video("x1", "Eve", "en"), *videos[:2]], user_id="eve")
        titles = dict(TITLES)
        reading = service.whole_videos(USER, lambda: titles, Params(q="", sort="newest", limit=1))
        first = [next(reading) for _ in range(2)]
        # Videos come before and after the place where the export is, and a playlist goes.
        library.put("PLtalks", [video("v0", "", None), video("v41", "", None), *videos[:6]], version=2)
        del titles["PLmore"]
        found = [*first, *reading]
        assert [each.video_id for each in found] == ["v1", "v2", "v3", "v4", "v41", "v5", "v6"]
        assert [each.playlists for each in found] == [{"PLtalks": "Talks"}] * 7
        assert [line.text for line in found[0].lines] == ["some words"]
        rest = service.whole_videos(USER, lambda: TITLES, Params(), after="v5")
        assert [each.playlists for each in rest] == [TITLES, {"PLmore": "More"}, {"PLmore": "More"}]
        assert list(service.whole_videos(USER, lambda: TITLES, Params(playlists=("PLsecret",)))) == []
        assert list(service.whole_videos(USER, dict, Params())) == []
        words = service.listed_videos(USER, lambda: TITLES, Params(q="title:8 OR title:3"))
        assert sorted(each["video_id"] for each in words) == ["v3", "v8"]
