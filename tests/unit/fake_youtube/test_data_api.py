"""The Data API, as google-api-python-client asks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from googleapiclient.errors import HttpError

from infra.local.fake_youtube import field_mask
from infra.local.fake_youtube.data_api import resources
from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import TIMEOUT_SECONDS, Clients


def reason_of(error: HttpError) -> tuple[int, str]:
    return error.status_code, json.loads(error.content)["error"]["errors"][0]["reason"]


def all_items(youtube: Any, playlist_id: str, size: int = 50) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    request = youtube.playlistItems().list(
        part="snippet,contentDetails,status", playlistId=playlist_id, maxResults=size
    )
    while request is not None:
        page = request.execute()
        items += page["items"]
        request = youtube.playlistItems().list_next(request, page)
    return items


def test_pages_list_each_video_once_in_order(server: LiveServer, clients: Clients) -> None:
    items = all_items(clients.data_api(), "PLgen-123-pages-short")
    expected = [generate.video_id("pages", k, "short") for k in range(123)]
    assert [item["contentDetails"]["videoId"] for item in items] == expected
    assert [item["snippet"]["position"] for item in items] == list(range(123))
    assert len({item["id"] for item in items}) == 123
    assert server.stats()["quota"]["used"] == 3


def test_playlist_items_and_videos_have_the_same_data(server: LiveServer, clients: Clients) -> None:
    youtube = clients.data_api()
    items = all_items(youtube, "PLgen-50-agree")
    ids = [item["contentDetails"]["videoId"] for item in items]
    videos = youtube.videos().list(part="snippet,contentDetails,statistics,status", id=ids).execute()["items"]
    assert [video["id"] for video in videos] == ids
    for item, video in zip(items, videos, strict=True):
        assert item["snippet"]["title"] == video["snippet"]["title"]
        assert item["snippet"]["videoOwnerChannelTitle"] == video["snippet"]["channelTitle"]
        assert item["contentDetails"]["videoPublishedAt"] == video["snippet"]["publishedAt"]
        assert item["snippet"]["publishedAt"] != video["snippet"]["publishedAt"]
        assert video["contentDetails"]["duration"].startswith("P")
        assert int(video["statistics"]["viewCount"]) >= 0
        assert video["snippet"]["thumbnails"]["high"]["url"] == f"{server.url}/vi/{video['id']}/hqdefault.jpg"


def test_playlist_shows_placeholders_for_hidden_videos_and_videos_list_omits_them(
    server: LiveServer, clients: Clients
) -> None:
    private, deleted, public = "privateVid0", "deletedVid0", "publicVid00"
    server.control(
        "playlists",
        {
            "videos": [{"id": private, "status": "private"}, {"id": public, "title": "Seen"}],
            "playlists": [{"id": "PLmixed", "videos": [private, deleted, public, public], "extra": 2}],
        },
    )
    youtube = clients.data_api()
    items = all_items(youtube, "PLmixed")
    assert [item["snippet"]["title"] for item in items] == ["Private video", "Deleted video", "Seen", "Seen"]
    assert [item["status"]["privacyStatus"] for item in items] == [
        "private",
        "privacyStatusUnspecified",
        "public",
        "public",
    ]
    assert items[0]["snippet"]["thumbnails"] == {}
    assert "videoOwnerChannelTitle" not in items[0]["snippet"]
    assert items[1]["contentDetails"] == {"videoId": deleted}
    listed = youtube.videos().list(part="id", id=",".join([private, deleted, public])).execute()
    assert [video["id"] for video in listed["items"]] == [public]
    playlist = youtube.playlists().list(part="contentDetails", id="PLmixed").execute()["items"][0]
    assert playlist["contentDetails"]["itemCount"] == 6


@pytest.mark.parametrize(
    ("playlist_id", "expected"),
    [
        ("WL", (403, "watchLaterNotAccessible")),
        ("HL", (403, "watchHistoryNotAccessible")),
        ("PLnobody-made-this", (404, "playlistNotFound")),
        ("PLdemo-evenings", (403, "playlistItemsNotAccessible")),
        ("LL", (404, "playlistNotFound")),
    ],
)
def test_playlist_that_cannot_be_listed(
    clients: Clients, playlist_id: str, expected: tuple[int, str]
) -> None:
    with pytest.raises(HttpError) as error:
        all_items(clients.data_api(), playlist_id)
    assert reason_of(error.value) == expected
    assert clients.data_api().playlists().list(part="id", id=playlist_id).execute()["items"] == []


def test_empty_playlist_has_no_items(server: LiveServer, clients: Clients) -> None:
    server.control("playlists", {"playlists": [{"id": "PLempty"}]})
    assert all_items(clients.data_api(), "PLempty") == []
    assert all_items(clients.data_api(), "PLgen-0-none") == []


def test_unlisted_playlist_is_readable_by_its_id(clients: Clients) -> None:
    assert len(all_items(clients.data_api(), "PLdemo-shared")) == 5


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [
        ("part=id&playlistId=PLgen-3-a", 403, "forbidden"),
        ("part=id&playlistId=PLgen-3-a&key=invalid-key", 400, "badRequest"),
        ("playlistId=PLgen-3-a&key=k", 400, "missingRequiredParameter"),
        ("part=id&key=k", 400, "missingRequiredParameter"),
        ("part=id,nonsense&playlistId=PLgen-3-a&key=k", 400, "unknownPart"),
        ("part=id&playlistId=PLgen-3-a&key=k&maxResults=51", 400, "invalidParameter"),
        ("part=id&playlistId=PLgen-3-a&key=k&pageToken=CAUQAA", 400, "invalidPageToken"),
        ("part=id&playlistId=PLgen-3-a&key=k&fields=items(", 400, "invalidParameter"),
    ],
)
def test_malformed_request_is_refused(server: LiveServer, query: str, status: int, reason: str) -> None:
    answer = requests.get(f"{server.url}/youtube/v3/playlistItems?{query}", timeout=TIMEOUT_SECONDS)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == status
    assert answer.json()["error"]["errors"][0]["reason"] == reason


def test_wrong_key_and_wrong_token_have_different_errors(server: LiveServer) -> None:
    url = f"{server.url}/youtube/v3/videos?part=id&id=a"
    key = requests.get(f"{url}&key=invalid", timeout=TIMEOUT_SECONDS).json()["error"]
    assert key["details"][0]["reason"] == "API_KEY_INVALID"
    token = requests.get(url, headers={"Authorization": "Bearer nonsense"}, timeout=TIMEOUT_SECONDS)
    assert (token.status_code, token.json()["error"]["errors"][0]["reason"]) == (401, "authError")


def test_call_takes_at_most_fifty_ids(clients: Clients) -> None:
    youtube = clients.data_api()
    ids = [generate.video_id("ids", k) for k in range(51)]
    assert len(youtube.videos().list(part="id", id=ids[:50]).execute()["items"]) == 50
    with pytest.raises(HttpError) as error:
        youtube.videos().list(part="id", id=ids).execute()
    assert reason_of(error.value) == (400, "invalidFilters")


def test_mine_requires_a_token(clients: Clients) -> None:
    with pytest.raises(HttpError) as error:
        clients.data_api().playlists().list(part="id", mine=True).execute()
    assert error.value.status_code == 401


def test_exhausted_quota_is_an_error(server: LiveServer, clients: Clients) -> None:
    server.control("settings", {"quota_limit": 2})
    youtube = clients.data_api()
    for _ in range(2):
        youtube.videos().list(part="id", id="x").execute()
    with pytest.raises(HttpError) as error:
        youtube.videos().list(part="id", id="x").execute()
    assert reason_of(error.value) == (403, "quotaExceeded")


def test_api_keys_setting_admits_only_its_keys(server: LiveServer, clients: Clients) -> None:
    server.control("settings", {"api_keys": ["right"]})
    assert clients.data_api("right").videos().list(part="id", id="x").execute()["items"] == []
    with pytest.raises(HttpError):
        clients.data_api("other").videos().list(part="id", id="x").execute()


def test_answer_is_compressed_if_the_client_accepts_it(server: LiveServer) -> None:
    url = f"{server.url}/youtube/v3/playlistItems?part=snippet&playlistId=PLgen-50-zip&maxResults=50&key=k"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=TIMEOUT_SECONDS)
    packed = requests.get(url, timeout=TIMEOUT_SECONDS)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 3
    assert packed.json() == plain.json()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("items(id,snippet/title),nextPageToken", {"items": [{"id": 1, "snippet": {"title": "t"}}]}),
        ("items/snippet(title)", {"items": [{"snippet": {"title": "t"}}]}),
        ("kind,items/id", {"kind": "k", "items": [{"id": 1}]}),
        ("*", {"kind": "k", "items": [{"id": 1, "snippet": {"title": "t", "x": 2}}]}),
    ],
)
def test_field_mask_selects(fields: str, expected: dict[str, Any]) -> None:
    value = {"kind": "k", "items": [{"id": 1, "snippet": {"title": "t", "x": 2}}]}
    assert field_mask.apply(field_mask.parse(fields), value) == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "P0D"), (7, "PT7S"), (60, "PT1M"), (3_723, "PT1H2M3S"), (86_400, "P1D"), (90_061, "P1DT1H1M1S")],
)
def test_iso_duration(seconds: int, text: str) -> None:
    assert resources.iso_duration(seconds) == text
