"""What else is found in a library: suggestions, spellings, exports, transcripts; and nobody else's."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from shared import search_export, search_index, search_suggest, subtitles
from shared.errors import NotFound
from shared.search import every_hit, search
from shared.search_params import Params
from shared.search_video import video as transcript_of
from tests.integration.search_library import LIBRARY, USER, VIDEOS, ask, environment, fill, ids, plain, video

pytestmark = pytest.mark.usefixtures("elasticsearch_url")


@pytest.fixture(scope="module", autouse=True)
def index(elasticsearch_url: str) -> Iterator[None]:
    with environment():
        fill()
        yield


def suggest(typed: str) -> list[str]:
    return search_suggest.suggest(LIBRARY, USER, typed)


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
def test_suggestions(typed: str, suggested: str) -> None:
    assert suggested in suggest(typed)


@pytest.mark.parametrize("typed", ["", " ", "x", '"', "zzzz", "*" * 5000, "\ud800 \x00", "(((", "a" * 300])
def test_nothing_to_suggest(typed: str) -> None:
    assert suggest(typed) == []


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
def test_did_you_mean(q: str, meant: str | None) -> None:
    answer = ask(q)
    assert answer["did_you_mean"] == meant
    assert meant is None or ask(meant)["total"]


def test_a_much_better_spelling_is_proposed_although_something_was_found() -> None:
    many = [video(f"many{number}", "Weather", "en", "the hurricane came") for number in range(25)]
    odd = video("odd", "Weather", "en", "the huricane came, a curlicue of clouds")
    search_index.write([(each, 1) for each in [*many, odd]])
    search_index.write_library("zoe", "PLweather", [each.video_id for each in [*many, odd]], 1)
    search_index.refresh()

    def meant(q: str) -> str | None:
        found: str | None = search(["PLweather"], "zoe", Params(q=q))["did_you_mean"]
        return found

    assert meant("huricane") == "hurricane"
    assert meant("the huricane came") == "the hurricane came"
    # What is quoted is meant, and what has no like is right.
    assert meant('"huricane"') is None
    assert meant("curlicue") is None
    assert meant("hurricane") is None


def test_nothing_of_another_library_shows() -> None:
    eve = ["PLsecret"]
    assert search(eve, "eve", Params(q="zanzibarites"))["total"] == 1
    assert ask("zanzibarites")["total"] == 0
    # Not even by asking with the id of another's playlist.
    assert search([*LIBRARY, "PLsecret"], USER, Params(q="zanzibarites"))["total"] == 0
    assert ask("sea", playlists=("PLsecret",))["total"] == 0
    assert "secret" not in ids("sea OR -sea")
    assert ask("zanzibaritess")["did_you_mean"] is None
    assert suggest("zanz") == suggest("secr") == []
    assert search_suggest.suggest(eve, "eve", "secr") == ["Secret bowline sea"]
    with pytest.raises(NotFound):
        transcript_of(LIBRARY, USER, "secret")
    assert [hit["video_id"] for hit in every_hit(["PLsecret"], USER, Params())] == []
    counts = [each["count"] for facet in ask("")["facets"].values() for each in facet]
    assert max(counts) <= len(VIDEOS)


def test_an_export_has_every_hit_and_every_moment() -> None:
    hits = [json.loads(line) for line in search_export.as_jsonl(every_hit(LIBRARY, USER, Params(q="sea")))]
    assert {hit["video_id"] for hit in hits} == set(ids("sea"))
    assert all(len(hit["moments"]) == hit["moment_count"] for hit in hits)
    rows = list(
        csv.DictReader(io.StringIO("".join(search_export.as_csv(every_hit(LIBRARY, USER, Params(q="sea"))))))
    )
    assert [(row["video_id"], row["start"]) for row in rows] == [
        (hit["video_id"], start)
        for hit in hits
        for start in ([str(moment["start"]) for moment in hit["moments"]] or [""])
    ]
    assert rows[0]["title"] == plain(hits[0]["title"])


def test_an_export_goes_on_over_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.search._EXPORT_PAGE", 2)
    found = [hit["video_id"] for hit in every_hit(LIBRARY, USER, Params(limit=1))]
    assert sorted(found) == sorted(each.video_id for each in VIDEOS)


@pytest.mark.parametrize("document", VIDEOS, ids=lambda document: document.video_id)
def test_a_transcript_comes_back_as_it_was_said(document: object) -> None:
    expected = next(each for each in VIDEOS if each is document)
    about, lines = transcript_of(LIBRARY, USER, expected.video_id)
    assert (about["title"], about["channel"]) == (expected.title, expected.channel)
    assert about["description"] == expected.description
    assert lines == list(expected.lines)


def test_a_video_that_is_not_there() -> None:
    for video_id in ("nowhere", "", "*", "a" * 5000):
        with pytest.raises(NotFound):
            transcript_of(LIBRARY, USER, video_id)
    with pytest.raises(NotFound):
        transcript_of([], USER, "tides")


def test_formats() -> None:
    _, lines = transcript_of(LIBRARY, USER, "foret")
    assert subtitles.render(lines, "srt").startswith(
        "1\n00:00:00,500 --> 00:00:04,400\nNous étudions la forêt\n\n2\n00:00:04,500 --> "
    )
    assert subtitles.render(lines, "vtt").startswith(
        "WEBVTT\n\n00:00:00.500 --> 00:00:04.400\nNous étudions la forêt\n\n00:00:04.500 --> "
    )
    assert subtitles.render(lines, "txt").splitlines()[1] == "à côté de la rivière"
