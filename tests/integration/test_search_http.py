"""The function `search` over HTTP, with the real Elasticsearch and the real Firestore emulator behind it."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.accounts.tokens import Tokens
from shared.gcp.firestore import Firestore
from shared.search.server import SearchServer
from shared.search.service import Search
from tests.integration.firestore_emulator import PROJECT
from tests.integration.search_library import TITLES, USER, VIDEOS, config_of, filled_library
from tests.libraries import put_membership
from tests.unit.functions import load

#: As the library is filled: half of the videos in each playlist, one in both.
IN_PLAYLISTS = {"PLtalks": VIDEOS[: len(VIDEOS) // 2], "PLmore": VIDEOS[len(VIDEOS) // 2 - 1 :]}


@dataclass(frozen=True, slots=True)
class Site:
    """The function as one user sees it. ``main``: its main module."""

    web: Any
    main: Any
    token: str

    def get(self, path: str, **parameters: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.web.get(path, query_string=parameters or None, headers=headers)


@pytest.fixture(scope="module")
def function(elasticsearch_url: str, firestore_emulator: str, db: Firestore) -> Iterator[tuple[Any, Any]]:
    with filled_library(elasticsearch_url) as library, pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        patch.setenv("ELASTICSEARCH_URL", elasticsearch_url)
        patch.setenv("ELASTICSEARCH_INDEX_PREFIX", library.prefix)
        for playlist_id, title in TITLES.items():
            ids = [each.video_id for each in IN_PLAYLISTS[playlist_id]]
            added = [datetime(2024, 1, 1 + (7 * number) % 28, tzinfo=UTC) for number in range(len(ids))]
            put_membership(db, USER, playlist_id, ids, title=title, added=added)
        web, main = load("search")
        yield web, main
        main.db.close()


@pytest.fixture(scope="module")
def site(function: tuple[Any, Any], db: Firestore) -> Site:
    """As ada sees it."""
    return Site(*function, Tokens(db).mint(USER, "test")["token"])


@pytest.fixture(scope="module")
def strangers_site(function: tuple[Any, Any], db: Firestore) -> Site:
    """As somebody with an empty library sees it."""
    return Site(*function, Tokens(db).mint("stranger", "test")["token"])


def test_search(site: Site) -> None:
    response = site.get("/api/search", q='"why the sea rises"', limit=5)
    assert response.status_code == 200
    answer = response.get_json()
    assert set(answer) == {"match", "total", "took_ms", "hits", "facets", "did_you_mean", "cursor"}
    (hit,) = answer["hits"]
    assert {
        *("video_id", "title", "description", "channel", "published_at", "duration_seconds", "language"),
        *("generated", "thumbnail_url", "url", "moment_count", "moments"),
    } <= set(hit)
    assert [moment["start"] for moment in hit["moments"]] == [0.5, 16.5]
    assert answer["facets"]["playlists"] == [{"value": "PLtalks", "title": "Talks", "count": 1}]


def every_page(site: Site, **parameters: Any) -> list[dict[str, Any]]:
    """All hits, two at a time."""
    hits: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = site.get("/api/search", limit=2, cursor=cursor, **parameters).get_json()
        hits += answer["hits"]
        assert answer["total"] >= len(hits)
        if (cursor := answer["cursor"]) is None:
            assert answer["total"] == len(hits)
            return hits


def test_hits_in_the_order_of_a_playlist(site: Site) -> None:
    hits = every_page(site, q="", sort="playlist", playlist="PLmore")
    assert [each["video_id"] for each in hits] == [each.video_id for each in IN_PLAYLISTS["PLmore"]]
    assert hits[1]["added_at"] == "2024-01-08T00:00:00.000Z"
    # With words: highlights, moments and facets as in each other search.
    found = site.get("/api/search", q="sea", sort="playlist", playlist="PLtalks").get_json()
    by_relevance = site.get("/api/search", q="sea", playlist="PLtalks").get_json()
    assert [each["video_id"] for each in found["hits"]] == ["tides", "ropes"]
    assert (found["total"], found["facets"]) == (2, by_relevance["facets"])
    shown = {each["video_id"]: each["moments"] for each in by_relevance["hits"]}
    assert {each["video_id"]: each["moments"] for each in found["hits"]} == shown
    exported = site.get("/api/search/export?q=&sort=playlist&playlist=PLmore&format=jsonl").get_data(True)
    assert [json.loads(each)["video_id"] for each in exported.splitlines()] == [
        each.video_id for each in IN_PLAYLISTS["PLmore"]
    ]


def test_hits_as_they_came_into_the_library(site: Site) -> None:
    hits = every_page(site, q="", sort="added")
    times = [each["added_at"] for each in hits]
    assert times == sorted(times, reverse=True)
    assert sorted(each["video_id"] for each in hits) == sorted(each.video_id for each in VIDEOS)
    # What is in two playlists came with the first of them.
    (both,) = {each.video_id for each in IN_PLAYLISTS["PLtalks"]} & {
        each.video_id for each in IN_PLAYLISTS["PLmore"]
    }
    assert [each["added_at"] for each in hits if each["video_id"] == both] == ["2024-01-01T00:00:00.000Z"]
    newer = every_page(site, q="", sort="newest", added_after="2024-01-08")
    assert {each["video_id"] for each in newer} == {
        each["video_id"] for each in hits if each["added_at"] >= "2024-01-08T00:00:00.000Z"
    }
    assert len(newer) < len(hits)
    assert "added_at" not in site.get("/api/search", q="").get_json()["hits"][0]


@pytest.mark.parametrize("after", [[], [1], ["x", 1], [-1, "a"], [1, {"a": 1}, 2], 5])
def test_a_forged_place_is_refused(site: Site, after: object) -> None:
    cursor = site.get("/api/search?sort=added&limit=2").get_json()["cursor"]
    parts = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    forged = base64.urlsafe_b64encode(json.dumps([*parts[:4], after]).encode()).decode()
    assert site.get("/api/search", sort="added", limit=2, cursor=forged).status_code == 400


def test_a_stranger_finds_nothing(strangers_site: Site) -> None:
    assert strangers_site.get("/api/search", q="sea").get_json()["total"] == 0
    assert strangers_site.get("/api/suggest", q="how ti").get_json() == {"suggestions": []}
    assert strangers_site.get("/api/videos/tides").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/search?limit=51",
        "/api/search?sort=best",
        "/api/search?after=soon",
        "/api/search?added_after=soon",
        "/api/search?sort=playlist",
        "/api/search?sort=playlist&playlist=PLtalks&playlist=PLmore",
        "/api/search?cursor=x",
        "/api/search?in=comments",
        "/api/search/export?format=xml",
        "/api/videos/tides?format=pdf",
    ],
)
def test_the_answer_names_the_wrong_parameter(site: Site, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert "expected" in response.get_json()["detail"]


@pytest.mark.parametrize(
    "path", ["/api/search/nothing", "/api/videos", "/api/videos/nowhere", "/api/videos/a/b"]
)
def test_an_unknown_path_or_video_is_404(site: Site, path: str) -> None:
    assert site.get(path).status_code == 404


def test_suggest(site: Site) -> None:
    assert "How tides work" in site.get("/api/suggest", q="how ti").get_json()["suggestions"]
    assert site.get("/api/suggest").get_json() == {"suggestions": []}


def test_export(site: Site) -> None:
    response = site.get("/api/search/export", q="sea", format="csv")
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    # Without this mark, a spreadsheet would garble accents.
    assert response.data.startswith(b"\xef\xbb\xbfvideo_id,")
    rows = list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"))))
    assert {row["video_id"] for row in rows} == {"tides", "ropes", "quiet"}
    response = site.get("/api/search/export", q="sea", format="jsonl")
    assert response.data.startswith(b"{")
    found = {json.loads(line)["video_id"] for line in response.text.splitlines()}
    assert found == {"tides", "ropes", "quiet"}
    assert site.get("/api/search/export", q="nonsenseword").text.count("\n") == 1


def test_a_transcript_in_every_format(site: Site) -> None:
    body = site.get("/api/videos/tides").get_json()
    assert body["title"] == "How tides work"
    assert body["lines"][1] == {"start": 4.5, "duration": 3.9, "text": "rises twice a day. The moon pulls"}
    for form, mimetype, line in [
        ("srt", "application/x-subrip", "00:00:04,500 --> 00:00:08,400"),
        ("vtt", "text/vtt", "00:00:04.500 --> 00:00:08.400"),
        ("txt", "text/plain", "rises twice a day. The moon pulls"),
        ("md", "text/markdown", "# How tides work"),
    ]:
        response = site.get("/api/videos/tides", format=form)
        assert (response.status_code, response.mimetype) == (200, mimetype)
        assert line in response.text.splitlines()
    text = site.get("/api/videos/tides", format="txt", times="1").text
    assert text.splitlines()[1] == "[0:04] rises twice a day. The moon pulls"
    assert site.get("/api/videos/tides", format="txt", times="yes").status_code == 400


def test_a_transcript_with_the_matches_of_a_query(site: Site) -> None:
    body = site.get("/api/videos/tides", q='"why the sea rises"').get_json()
    # The same seconds as in a search, and all lines with marks.
    starts = [body["lines"][line]["start"] for line in body["matches"]["moments"]]
    assert [int(start) for start in starts] == [0, 16]
    for marked in body["matches"]["marked"]:
        text = "".join(segment["text"] for segment in marked["segments"])
        assert text == body["lines"][marked["line"]]["text"]
        assert any(segment["match"] for segment in marked["segments"])
    assert {marked["line"] for marked in body["matches"]["marked"]} > set(body["matches"]["moments"])
    for nothing in ("nonsenseword", "?!", "title:sea"):
        found = site.get("/api/videos/tides", q=nothing).get_json()
        assert found["matches"] == {"moments": [], "marked": [], "chapters": []}
    assert "matches" not in site.get("/api/videos/tides").get_json()


def test_an_elasticsearch_that_is_down_is_503(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    down = Search(SearchServer(config_of("http://127.0.0.1:9", "down")))
    monkeypatch.setattr(site.main, "use_case", down)
    for path in ("/api/search", "/api/search/export", "/api/suggest", "/api/videos/tides"):
        response = site.get(path, q="sea")
        assert response.status_code == 503
        assert response.mimetype == "application/problem+json"
        assert "127.0.0.1" not in response.text


@settings(max_examples=40, deadline=None)
@given(q=st.text(max_size=300), sort=st.sampled_from(["relevance", "newest", ""]), texts=st.text(max_size=10))
def test_no_request_is_answered_with_500(site: Site, q: str, sort: str, texts: str) -> None:
    query = {"q": q.encode("utf-8", "replace"), "sort": sort, "in": texts.encode("utf-8", "replace")}
    assert site.get("/api/search", **query).status_code in (200, 400)
    assert site.get("/api/suggest", **query).status_code == 200
