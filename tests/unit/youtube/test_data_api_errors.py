"""The meaning of the errors of the Data API, with the real client library."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httplib2
import pytest
from googleapiclient.errors import HttpError, UnknownApiNameOrVersion

from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import Deferred, DeliveryError, GrantExpired, JobFailed, KeyRefused, NotVisible, Transient
from shared.youtube.data_api import DataApi
from shared.youtube.data_api_errors import quota_reset
from tests.unit.stopped_clock import StoppedClock
from tests.unit.youtube.fake_data_api import FakeDataApi


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
    (http_error(400, "badRequest", details=[{"reason": "API_KEY_INVALID"}]), KeyRefused, "a valid key"),
    (http_error(400, "keyInvalid"), KeyRefused, "a valid key"),
    (http_error(400, "badRequest", message="API key expired. Please renew it."), KeyRefused, "a valid key"),
    (http_error(403, details=[{"reason": "API_KEY_HTTP_REFERRER_BLOCKED"}]), KeyRefused, "to web pages"),
    (http_error(403, "ipRefererBlocked"), KeyRefused, "application restrictions"),
    (http_error(403, details=[{"reason": "API_KEY_IP_ADDRESS_BLOCKED"}]), KeyRefused, "IP addresses of this"),
    (http_error(403, details=[{"reason": "API_KEY_SERVICE_BLOCKED"}]), KeyRefused, "the API restrictions"),
    (http_error(403, details=[{"reason": "SERVICE_DISABLED"}]), KeyRefused, "Enable it"),
    (http_error(403, details=[{"reason": "CONSUMER_SUSPENDED"}]), KeyRefused, "another project"),
    (http_error(401, "authError"), JobFailed, "HTTP 401: authError"),
    (http_error(403, "accessNotConfigured"), KeyRefused, "accessNotConfigured"),
    (http_error(400), JobFailed, "no reason given"),
    (HttpError(httplib2.Response({"status": 403}), b"<html>Sorry"), Transient, "does not answer now"),
    (HttpError(httplib2.Response({"status": 403}), b""), Transient, "does not answer now"),
    (HttpError(httplib2.Response({"status": 408}), b"<html>"), Transient, "does not answer now"),
    (HttpError(httplib2.Response({"status": 429}), b"<html>"), Deferred, "in a minute"),
    (HttpError(httplib2.Response({"status": 400}), b"<html>"), JobFailed, "no reason given"),
    (http_error(403, "userRateLimitExceededUnreg"), Deferred, "in a minute"),
    (http_error(403, "concurrentLimitExceeded"), Deferred, "in a minute"),
    (http_error(403, "servingLimitExceeded"), Deferred, "in a minute"),
    (
        HttpError(
            httplib2.Response({"status": 403}),
            b'{"error": {"code": 403, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED"}}',
        ),
        Deferred,
        "in a minute",
    ),
    (
        http_error(
            429,
            message="Quota exceeded for limit 'Queries per minute' of service. Ask for a higher daily quota.",
        ),
        Deferred,
        "in a minute",
    ),
    (http_error(429, message="Quota exceeded. You can ask for a higher daily limit."), Deferred, "minute"),
    (http_error(429, message="You have exceeded your daily quota."), Deferred, "daily quota"),
    (http_error(429, message="Daily Limit for Unauthenticated Use Exceeded."), Deferred, "daily quota"),
    (
        http_error(
            429,
            message="The daily quota was not exceeded.",
            details=[{"metadata": {"quota_limit": "defaultPerMinutePerProject"}}],
        ),
        Deferred,
        "in a minute",
    ),
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


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("The request is missing a valid API key.", "Set a valid key"),
        (
            "Method doesn't allow unregistered callers. Please use API Key.",
            "Set a valid key",
        ),
        ("Requests from referer <empty> are blocked.", "limited to web pages"),
        ("Requests from referer https://x.example/ are blocked.", "limited to web pages"),
        (
            "The provided API key has an IP address restriction. The IP of the call violates it.",
            "to other IP",
        ),
        ("Requests from this Android client application <empty> are blocked.", "limited to an app"),
        ("Requests to this API youtube method youtube.api.v3.List are blocked.", "to other APIs"),
        (
            "YouTube Data API v3 has not been used in project 1 before or it is disabled. Enable it.",
            "Enable it",
        ),
        ("Permission denied: Consumer 'api_key:x' has been suspended.", "a key of another project"),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_trouble_with_the_key_may_be_told_in_words_only(status: int, message: str, advice: str) -> None:
    with pytest.raises(JobFailed, match="API key of this service") as raised:
        FakeDataApi(http_error(status, "forbidden", message=message)).playlist("PLx")
    assert advice in str(raised.value)


@pytest.mark.parametrize("message", ["", "The caller may not do this.", "The playlist is blocked."])
def test_other_words_are_no_trouble_with_the_key(message: str) -> None:
    with pytest.raises(JobFailed, match="HTTP 403: forbidden"):
        FakeDataApi(http_error(403, "forbidden", message=message)).playlist("PLx")


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


FAULTS: list[tuple[dict[str, Any], type[DeliveryError]]] = [
    ({"kind": "quota_exceeded"}, Deferred),
    ({"kind": "rate_limit_exceeded"}, Deferred),
    ({"kind": "daily_limit_exceeded"}, Deferred),
    ({"kind": "backend_error"}, Transient),
    ({"kind": "backend_error", "status": 503}, Transient),
    ({"kind": "playlist_not_found"}, NotVisible),
    ({"kind": "key_invalid"}, KeyRefused),
    ({"kind": "key_expired"}, KeyRefused),
    ({"kind": "key_referrer_blocked"}, KeyRefused),
    ({"kind": "key_ip_blocked"}, KeyRefused),
    ({"kind": "key_service_blocked"}, KeyRefused),
    ({"kind": "auth_error"}, JobFailed),
    ({"kind": "forbidden"}, JobFailed),
    ({"kind": "access_not_configured"}, KeyRefused),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: str(value))
def test_each_fault_in_the_words_of_google_has_its_meaning(
    fault: dict[str, Any], kind: type[DeliveryError], youtube: LiveServer, api: DataApi
) -> None:
    youtube.control("faults", fault)
    with pytest.raises(DeliveryError) as raised:
        list(api.pages("PLgen-5-u-short"))
    assert type(raised.value) is kind
