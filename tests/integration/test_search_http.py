"""The function `search` over HTTP, with the real Elasticsearch behind it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import functions_framework
import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.auth import Caller
from tests.integration.search_library import LIBRARY, USER, environment, fill

MAIN = Path(__file__).parents[2] / "functions" / "search" / "main.py"


def titles(user_id: str) -> dict[str, str]:
    """What Firestore would say."""
    return {each: each.lower() for each in LIBRARY} if user_id == USER else {}


@pytest.fixture(scope="module")
def client(elasticsearch_url: str) -> Iterator[FlaskClient]:
    with environment(), pytest.MonkeyPatch.context() as patch:
        fill()
        patch.setattr("shared.library.titles", titles)
        patch.setattr(
            "shared.auth.authenticate", lambda header, session: Caller(USER if header else "nobody")
        )
        app = functions_framework.create_app("search", str(MAIN))  # type: ignore[no-untyped-call]
        with app.test_client() as client:
            client.environ_base["HTTP_AUTHORIZATION"] = "Bearer x"
            yield client


def test_search(client: FlaskClient) -> None:
    response = client.get("/api/search", query_string={"q": '"why the sea rises"', "limit": 5})
    assert response.status_code == 200
    answer = response.get_json()
    assert set(answer) == {"total", "took_ms", "hits", "facets", "did_you_mean", "cursor"}
    (hit,) = answer["hits"]
    assert {
        *("video_id", "title", "description", "channel", "published_at", "duration_seconds", "language"),
        *("generated", "thumbnail_url", "url", "moment_count", "moments"),
    } <= set(hit)
    assert [moment["start"] for moment in hit["moments"]] == [0, 16]
    assert answer["facets"]["playlists"] == [{"value": "PLtalks", "title": "pltalks", "count": 1}]


def test_a_stranger_finds_nothing(client: FlaskClient) -> None:
    response = client.get("/api/search?q=sea", headers={"Authorization": ""})
    assert response.get_json()["total"] == 0
    assert client.get("/api/videos/tides", headers={"Authorization": ""}).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/api/search?limit=51",
        "/api/search?sort=best",
        "/api/search?after=soon",
        "/api/search?cursor=x",
        "/api/search?in=comments",
        "/api/search/export?format=xml",
        "/api/videos/tides?format=pdf",
    ],
)
def test_a_bad_parameter_is_a_problem_that_says_which(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response.mimetype == "application/problem+json"
    assert "expected" in response.get_json()["detail"]


@pytest.mark.parametrize(
    "path", ["/api/search/nothing", "/api/videos", "/api/videos/nowhere", "/api/videos/a/b"]
)
def test_what_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_suggest(client: FlaskClient) -> None:
    assert "How tides work" in client.get("/api/suggest?q=how+ti").get_json()["suggestions"]
    assert client.get("/api/suggest").get_json() == {"suggestions": []}


def test_export(client: FlaskClient) -> None:
    response = client.get("/api/search/export?q=sea&format=csv")
    assert response.mimetype == "text/csv"
    assert "attachment" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert {row["video_id"] for row in rows} == {"tides", "ropes", "quiet"}
    response = client.get("/api/search/export?q=sea&format=jsonl")
    assert {json.loads(line)["video_id"] for line in response.text.splitlines()} == {
        "tides",
        "ropes",
        "quiet",
    }
    assert client.get("/api/search/export?q=nonsenseword").text.count("\n") == 1


def test_a_transcript_in_every_format(client: FlaskClient) -> None:
    body = client.get("/api/videos/tides").get_json()
    assert body["title"] == "How tides work"
    assert body["lines"][1] == {"start": 4.5, "duration": 3.9, "text": "rises twice a day. The moon pulls"}
    for form, mimetype, line in [
        ("srt", "application/x-subrip", "00:00:04,500 --> 00:00:08,400"),
        ("vtt", "text/vtt", "00:00:04.500 --> 00:00:08.400"),
        ("txt", "text/plain", "rises twice a day. The moon pulls"),
    ]:
        response = client.get(f"/api/videos/tides?format={form}")
        assert (response.status_code, response.mimetype) == (200, mimetype)
        assert line in response.text.splitlines()


def test_a_transcript_with_the_matches_of_a_query(client: FlaskClient) -> None:
    body = client.get("/api/videos/tides", query_string={"q": '"why the sea rises"'}).get_json()
    # The same seconds as a search shows, and every line that has a mark.
    starts = [body["lines"][line]["start"] for line in body["matches"]["moments"]]
    assert [int(start) for start in starts] == [0, 16]
    for marked in body["matches"]["marked"]:
        text = "".join(segment["text"] for segment in marked["segments"])
        assert text == body["lines"][marked["line"]]["text"]
        assert any(segment["match"] for segment in marked["segments"])
    assert {marked["line"] for marked in body["matches"]["marked"]} > set(body["matches"]["moments"])
    for nothing in ("nonsenseword", "?!", "title:sea"):
        found = client.get("/api/videos/tides", query_string={"q": nothing}).get_json()
        assert found["matches"] == {"moments": [], "marked": []}
    assert "matches" not in client.get("/api/videos/tides").get_json()


def test_an_elasticsearch_that_is_down_is_503(client: FlaskClient) -> None:
    with environment(ELASTICSEARCH_URL="http://127.0.0.1:9"):
        for path in (
            "/api/search?q=sea",
            "/api/search/export?q=sea",
            "/api/suggest?q=sea",
            "/api/videos/tides",
        ):
            response = client.get(path)
            assert response.status_code == 503
            assert response.mimetype == "application/problem+json"


@settings(max_examples=40, deadline=None)
@given(q=st.text(max_size=300), sort=st.sampled_from(["relevance", "newest", ""]), texts=st.text(max_size=10))
def test_no_request_breaks_it(client: FlaskClient, q: str, sort: str, texts: str) -> None:
    query = {"q": q.encode("utf-8", "replace"), "sort": sort, "in": texts.encode("utf-8", "replace")}
    assert client.get("/api/search", query_string=query).status_code in (200, 400)
    assert client.get("/api/suggest", query_string=query).status_code == 200
