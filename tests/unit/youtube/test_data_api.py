"""The Data API: the meaning of its answers and errors, with the real client library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httplib2
import pytest
from googleapiclient.errors import HttpError, UnknownApiNameOrVersion
from hypothesis import given
from hypothesis import strategies as st

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config, ConfigError
from shared.errors import Deferred, DeliveryError, GrantExpired, JobFailed, NotVisible, Transient
from shared.youtube.data_api import DataApi
from shared.youtube.data_api_errors import quota_reset
from shared.youtube.resources import _seconds, _whole_number, item_from
from tests.unit.stopped_clock import StoppedClock


class FakeClient:
    """A client of the library. Every method gives the next answer; ``execute`` returns it or raises it."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.headers: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return lambda **_: self

    def execute(self, num_retries: int) -> Any:
        assert num_retries == 0
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer


class FakeDataApi(DataApi):
    """The Data API with a client that gives these answers; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(Config())
        self.client = FakeClient(*answers)

    def _connect(self, *, keyed: bool) -> Any:
        return self.client


def http_error(status: int, *reasons: str, details: list[Any] | None = None, message: str = "") -> HttpError:
    error: dict[str, Any] = {
        "code": status,
        "message": message,
        "errors": [{"reason": reason} for reason in reasons],
    }
    if details is not None:
        error["details"] = details
    return HttpError(httplib2.Response({"status": status}), json.dumps({"error": error}).encode())


ERRORS: list[tuple[Exception, type[DeliveryError], str]] = [
    (http_error(403, "quotaExceeded"), Deferred, "daily quota"),
    (http_error(403, "dailyLimitExceeded"), Deferred, "daily quota"),
    (http_error(403, "rateLimitExceeded"), Deferred, "in a minute"),
    (http_error(403, "userRateLimitExceeded"), Deferred, "in a minute"),
    (http_error(429), Deferred, "in a minute"),
    (
        http_error(429, "rateLimitExceeded", details=[{"reason": "RATE_LIMIT_EXCEEDED"}]),
        Deferred,
        "in a minute",
    ),
    (http_error(429, "rateLimitExceeded", message="limit 'Queries per day' of"), Deferred, "daily quota"),
    (
        http_error(
            429,
            "rateLimitExceeded",
            message="Quota exceeded.",
            details=[
                {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit": "defaultPerDayPerProject"}}
            ],
        ),
        Deferred,
        "daily quota",
    ),
    (http_error(429, details=[{"metadata": {"quota_unit": "1/d/{project}"}}]), Deferred, "daily quota"),
    (http_error(429, details=[{"metadata": {"quota_unit": "1/min/{project}"}}]), Deferred, "in a minute"),
    (http_error(403, "userRateLimitExceeded", message="Daily Limit Exceeded"), Deferred, "daily quota"),
    (http_error(500, "backendError"), Transient, "overloaded"),
    (http_error(503), Transient, "overloaded"),
    (http_error(404, "playlistNotFound"), NotVisible, "knows no playlist"),
    (http_error(404), NotVisible, "knows no playlist"),
    (http_error(403, "playlistForbidden"), NotVisible, "knows no playlist"),
    (http_error(403, "playlistItemsNotAccessible"), NotVisible, "knows no playlist"),
    (http_error(403, "watchLaterNotAccessible"), JobFailed, "Watch Later"),
    (http_error(403, "watchHistoryNotAccessible"), JobFailed, "Watch Later"),
    (http_error(400, "badRequest", details=[{"reason": "API_KEY_INVALID"}]), JobFailed, "a valid key"),
    (http_error(400, "keyInvalid"), JobFailed, "a valid key"),
    (http_error(400, "badRequest", message="API key expired. Please renew it."), JobFailed, "a valid key"),
    (http_error(403, details=[{"reason": "API_KEY_HTTP_REFERRER_BLOCKED"}]), JobFailed, "to web pages"),
    (http_error(403, "ipRefererBlocked"), JobFailed, "application restrictions"),
    (http_error(403, details=[{"reason": "API_KEY_IP_ADDRESS_BLOCKED"}]), JobFailed, "IP addresses of this"),
    (http_error(403, details=[{"reason": "API_KEY_SERVICE_BLOCKED"}]), JobFailed, "the API restrictions"),
    (http_error(403, details=[{"reason": "SERVICE_DISABLED"}]), JobFailed, "Enable it"),
    (http_error(403, details=[{"reason": "CONSUMER_SUSPENDED"}]), JobFailed, "another project"),
    (http_error(401, "authError"), JobFailed, "HTTP 401: authError"),
    (http_error(403, "accessNotConfigured"), JobFailed, "accessNotConfigured"),
    (http_error(400), JobFailed, "no reason given"),
    (HttpError(httplib2.Response({"status": 403}), b"<html>"), JobFailed, "no reason given"),
    (HttpError(httplib2.Response({"status": 502}), b""), Transient, "overloaded"),
    (HttpError(httplib2.Response({"status": 403}), b'{"error":"text"}'), JobFailed, "no reason given"),
    (HttpError(httplib2.Response({"status": 403}), b'{"error":{"errors":[7]}}'), JobFailed, "no reason"),
    (http_error(400, details=[{"@type": "x"}]), JobFailed, "no reason given"),
    (TimeoutError(), Transient, "did not answer"),
    (ConnectionResetError(), Transient, "did not answer"),
    (httplib2.ServerNotFoundError(), Transient, "did not answer"),
    (UnknownApiNameOrVersion(), Transient, "did not answer"),
    (ValueError("not JSON"), Transient, "did not answer"),
]


@pytest.mark.parametrize(("error", "kind", "says"), ERRORS)
def test_each_error_has_its_meaning(error: Exception, kind: type[DeliveryError], says: str) -> None:
    with pytest.raises(DeliveryError) as raised:
        FakeDataApi(error).playlist("PLx")
    assert type(raised.value) is kind
    assert says in str(raised.value)
    assert str(raised.value).endswith(".")
    assert raised.value.__cause__ is error
    if kind is Transient and isinstance(error, HttpError):
        assert raised.value.detail == f"Data API: HTTP {error.resp.status}"


def test_the_quota_is_renewed_at_midnight_in_california() -> None:
    assert quota_reset(datetime(2024, 1, 31, 7, 59, tzinfo=UTC)) == datetime(2024, 1, 31, 8, tzinfo=UTC)
    assert quota_reset(datetime(2024, 1, 31, 8, 0, tzinfo=UTC)) == datetime(2024, 2, 1, 8, tzinfo=UTC)
    assert quota_reset(datetime(2024, 7, 1, 12, tzinfo=UTC)) == datetime(2024, 7, 2, 7, tzinfo=UTC)
    # The nights in which daylight saving time begins and ends.
    assert quota_reset(datetime(2024, 3, 10, 12, tzinfo=UTC)) == datetime(2024, 3, 11, 7, tzinfo=UTC)
    assert quota_reset(datetime(2024, 11, 3, 12, tzinfo=UTC)) == datetime(2024, 11, 4, 8, tzinfo=UTC)


def test_a_used_up_quota_is_deferred_until_it_is_renewed(clock_of_test: StoppedClock) -> None:
    with pytest.raises(Deferred) as raised:
        FakeDataApi(http_error(403, "quotaExceeded")).playlist("PLx")
    assert raised.value.until == datetime(2024, 2, 1, 8, tzinfo=UTC)
    assert "2024-02-01T08:00:00.000Z" in str(raised.value)


@pytest.mark.parametrize(
    ("message", "until"),
    [
        ("limit 'Queries per minute' of service", datetime(2024, 1, 31, 12, 1, tzinfo=UTC)),
        ("limit 'Queries per minute per user' of service", datetime(2024, 1, 31, 12, 1, tzinfo=UTC)),
        ("limit 'Queries per day' of service", datetime(2024, 2, 1, 8, tzinfo=UTC)),
    ],
)
def test_too_many_requests_are_deferred_for_a_minute_or_until_the_quota_is_renewed(
    message: str, until: datetime, clock_of_test: StoppedClock
) -> None:
    with pytest.raises(Deferred) as raised:
        FakeDataApi(http_error(429, "rateLimitExceeded", message=message)).playlist("PLx")
    assert raised.value.until == until


@pytest.mark.parametrize(
    "reason",
    ["API_KEY_INVALID", "API_KEY_HTTP_REFERRER_BLOCKED", "API_KEY_SERVICE_BLOCKED", "accessNotConfigured"],
)
@pytest.mark.parametrize("access_token", [None, "a-token"])
def test_trouble_with_the_key_says_whose_it_is_and_what_to_change(
    reason: str, access_token: str | None
) -> None:
    with pytest.raises(JobFailed, match=r"(?s)API key of this service.*operator.*try again") as raised:
        FakeDataApi(http_error(403, "forbidden", details=[{"reason": reason}])).playlist("PLx", access_token)
    assert reason in str(raised.value)


#: Errors that mean something else when the call is made with a user's access token.
USER_ERRORS = [
    http_error(401, "authError"),
    http_error(403, "insufficientPermissions"),
    http_error(403, details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]),
]


@pytest.mark.parametrize("error", USER_ERRORS, ids=str)
def test_a_refused_access_token_means_to_sign_in_again(error: HttpError) -> None:
    with pytest.raises(GrantExpired):
        FakeDataApi(error).playlist("PLx", "a-token")
    with pytest.raises(JobFailed) as raised:
        FakeDataApi(error).playlist("PLx")
    assert not isinstance(raised.value, GrantExpired)


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


@pytest.fixture
def api(youtube: LiveServer) -> Iterator[DataApi]:
    made = DataApi(Config(youtube_api_endpoint=youtube.url, youtube_api_key="a-key-for-tests"))
    yield made
    made.close()


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


FAULTS: list[tuple[dict[str, Any], type[DeliveryError]]] = [
    ({"kind": "quota_exceeded"}, Deferred),
    ({"kind": "rate_limit_exceeded"}, Deferred),
    ({"kind": "daily_limit_exceeded"}, Deferred),
    ({"kind": "backend_error"}, Transient),
    ({"kind": "backend_error", "status": 503}, Transient),
    ({"kind": "playlist_not_found"}, NotVisible),
    ({"kind": "key_invalid"}, JobFailed),
    ({"kind": "key_expired"}, JobFailed),
    ({"kind": "key_referrer_blocked"}, JobFailed),
    ({"kind": "key_ip_blocked"}, JobFailed),
    ({"kind": "key_service_blocked"}, JobFailed),
    ({"kind": "auth_error"}, JobFailed),
    ({"kind": "forbidden"}, JobFailed),
    ({"kind": "access_not_configured"}, JobFailed),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: str(value))
def test_each_fault_in_the_words_of_google_has_its_meaning(
    fault: dict[str, Any], kind: type[DeliveryError], youtube: LiveServer, api: DataApi
) -> None:
    youtube.control("faults", fault)
    with pytest.raises(DeliveryError) as raised:
        list(api.pages("PLgen-5-u-short"))
    assert type(raised.value) is kind


def test_a_server_that_is_not_there_is_worth_a_retry() -> None:
    nowhere = DataApi(Config(youtube_api_endpoint="http://127.0.0.1:9", youtube_api_key="a-key-for-tests"))
    with pytest.raises(Transient, match="did not answer"):
        nowhere.playlist("PLx")
    nowhere.close()
