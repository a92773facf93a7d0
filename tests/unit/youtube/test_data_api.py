"""The Data API: the meaning of its answers and errors, with the real client library."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config, ConfigError
from shared.errors import JobFailed, Transient
from shared.youtube.data_api import DataApi
from shared.youtube.resources import _seconds, _whole_number, item_from
from tests.unit.youtube.fake_data_api import FakeDataApi


def test_a_missing_key_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match="YOUTUBE_API_KEY"):
        DataApi(Config()).playlist("PLx")


DURATIONS: list[tuple[str, int]] = [
    ("PT0S", 0),
    ("PT59S", 59),
    ("PT1M", 60),
    ("PT1H2M3S", 3723),
    ("PT25H", 90_000),
    ("P1D", 86_400),
    ("P1DT2S", 86_402),
    ("P1W", 604_800),
    ("P0D", 0),
    ("PT999999999S", 999_999_999),
]
NONSENSE: list[object] = [
    *("", "P", "PT", "T1S", "1H", "PT1S1M", "PT-5S", "PT1.5S", "P1Y", "pt1s"),
    *(None, 0, 7, [], {}, "PT1S\n", " PT1S", "PT" + "9" * 50 + "S", "P1DT"),
]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text: str, seconds: int) -> None:
    assert _seconds(text) == seconds


@pytest.mark.parametrize("text", NONSENSE, ids=repr)
def test_other_values_are_no_duration(text: object) -> None:
    assert _seconds(text) is None


def test_a_listing_that_repeats_a_page_ends() -> None:
    api = FakeDataApi(
        {"items": [], "nextPageToken": "A"},
        {"items": [], "nextPageToken": "B"},
        {"items": [], "nextPageToken": "A"},
    )
    with pytest.raises(Transient, match="same page"):
        list(api.pages("PLx"))
    assert api.client.asked == 3


@pytest.mark.parametrize("answer", [[], "text", None, 7, {"items": "text"}, {"items": {"id": "x"}}])
def test_an_answer_of_another_form_is_worth_a_retry(answer: Any) -> None:
    with pytest.raises(Transient):
        FakeDataApi(answer).playlist("PLx")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["title", "videoId", "url", "position", "medium"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
PARTS = st.dictionaries(
    st.sampled_from(["title", "position", "videoId", "resourceId", "thumbnails", "publishedAt", "duration"]),
    JSON,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "snippet", "contentDetails", "status", "statistics"]),
        st.none() | PARTS | st.text(max_size=12),
    )
)
def test_an_item_is_understood_or_left_out(found: dict[str, Any]) -> None:
    """Fields may be missing or null. A value of another form than the documented one is ignored."""
    for name in ("snippet", "contentDetails", "status", "statistics"):
        if not isinstance(found.get(name), dict):
            found.pop(name, None)
    snippet = found.get("snippet", {})
    for name in ("resourceId", "thumbnails"):
        if name in snippet and not isinstance(snippet[name], dict):
            snippet[name] = None
    for name in ("publishedAt", "videoPublishedAt"):
        if name in snippet and not isinstance(snippet[name], str):
            snippet[name] = None
    item = item_from(found)
    assert item is None or item.video_id


@pytest.mark.parametrize("number", [0, 7, "42", "9" * 18])
def test_whole_numbers(number: object) -> None:
    assert _whole_number(number) == int(str(number))


@pytest.mark.parametrize("nonsense", [None, True, -1, 1.5, "", "1e3", "9" * 19, [], {}])
def test_other_values_are_no_whole_number(nonsense: object) -> None:
    assert _whole_number(nonsense) is None


# -- with the real client, against the fake YouTube ----------------------------------------------


def test_the_next_page_is_requested_while_the_caller_works_on_one(youtube: LiveServer, api: DataApi) -> None:
    def asked() -> int:
        return int(youtube.stats()["endpoints"]["data_api"]["requests"])

    before = asked()
    pages = api.pages("PLgen-120-ahead")
    assert len(next(pages)) == 50
    deadline = time.monotonic() + 30
    while asked() < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert [len(page) for page in pages] == [50, 20]
    assert asked() == before + 3


def test_a_playlist_its_pages_and_its_videos(api: DataApi) -> None:
    info = api.playlist("PLgen-120-u-short")
    assert info.item_count == 120
    assert info.title
    pages = list(api.pages("PLgen-120-u-short"))
    assert [len(page) for page in pages] == [50, 50, 20]
    items = [item for page in pages for item in page]
    assert [item.position for item in items] == list(range(120))
    described = api.videos([item.video_id for item in items[:50]])
    assert [each.video_id for each in described] == [item.video_id for item in items[:50]]
    for item, each in zip(items, described, strict=False):
        assert (each.title, each.channel, each.published_at) == (item.title, item.channel, item.published_at)
        assert each.published_at is not None
        assert each.duration_seconds
        assert each.views is not None
        assert each.thumbnail_url
    assert api.videos([]) == []


def test_items_tell_why_a_video_cannot_be_watched(youtube: LiveServer, api: DataApi) -> None:
    videos = [{"id": "aaaaaaaaaaa"}, {"id": "bbbbbbbbbbb"}]
    hidden = [{"id": "bbbbbbbbbbb", "status": "private"}, {"id": "ccccccccccc", "status": "deleted"}]
    playlist = {"id": "PLhidden", "videos": ["aaaaaaaaaaa", *hidden]}
    youtube.control("playlists", {"videos": videos, "playlists": [playlist]})
    (page,) = api.pages("PLhidden")
    assert [item.gone for item in page] == [
        None,
        "The video is private.",
        "The video was deleted from YouTube.",
    ]


@pytest.mark.parametrize("playlist_id", ["WL", "HL"])
def test_watch_later_and_history_are_refused_without_a_request(
    playlist_id: str, youtube: LiveServer, api: DataApi
) -> None:
    with pytest.raises(JobFailed, match="Watch Later"):
        api.playlist(playlist_id)
    assert youtube.stats()["quota"]["used"] == 0


def test_a_server_that_is_not_there_is_worth_a_retry() -> None:
    nowhere = DataApi(Config(youtube_api_endpoint="http://127.0.0.1:9", youtube_api_key="a-key-for-tests"))
    with pytest.raises(Transient, match="did not answer"):
        nowhere.playlist("PLx")
    nowhere.close()
