"""What an error of the YouTube Data API means for the work.

https://developers.google.com/youtube/v3/docs/errors; of keys and limits:
https://cloud.google.com/apis/design/errors and google.api.ErrorReason.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from googleapiclient.errors import HttpError

from shared import clock
from shared.errors import Deferred, GrantExpired, JobFailed, NotVisible, Transient
from shared.youtube.addresses import WATCH_LATER

NOT_VISIBLE = (
    "YouTube knows no playlist with this id, or it is private. Check the link, make the playlist "
    "public or unlisted, or sign in with Google as the owner."
)
#: After too many requests in a minute.
_RATE_PAUSE = timedelta(minutes=1)

_DAILY = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_RATE = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED"}
#: How Google names a limit for a day: "Queries per day", "defaultPerDayPerProject", "1/d/{project}".
_PER_DAY = re.compile(r"per ?day|daily|\b1/d/", re.IGNORECASE)
_HIDDEN = {"playlistNotFound", "playlistForbidden", "playlistItemsNotAccessible"}

_CONSOLE = "in the Google Cloud console, under APIs & Services"
_LIMITED = f"Under Credentials {_CONSOLE}, change the application restrictions of the key to None, or to the"
#: What is wrong with the operator's key or project, and what to change.
_KEY: tuple[tuple[set[str], str], ...] = (
    (
        {"API_KEY_INVALID", "keyInvalid", "keyExpired", "API_KEY_EXPIRED"},
        "It is not valid, or has expired. Set YOUTUBE_API_KEY to a valid key.",
    ),
    (
        {"API_KEY_HTTP_REFERRER_BLOCKED", "refererBlocked", "ipRefererBlocked"},
        f"It is limited to web pages. {_LIMITED} IP addresses of this server.",
    ),
    (
        {"API_KEY_IP_ADDRESS_BLOCKED", "ipBlocked"},
        f"It is limited to other IP addresses. {_LIMITED} IP addresses of this server.",
    ),
    (
        {"API_KEY_ANDROID_APP_BLOCKED", "API_KEY_IOS_APP_BLOCKED"},
        f"It is limited to an app. {_LIMITED} IP addresses of this server.",
    ),
    (
        {"API_KEY_SERVICE_BLOCKED"},
        f"It is limited to other APIs. Under Credentials {_CONSOLE}, add YouTube Data API v3 to the API "
        "restrictions of the key.",
    ),
    (
        {"accessNotConfigured", "SERVICE_DISABLED"},
        "YouTube Data API v3 is not enabled in its project. Enable it under Library "
        f"{_CONSOLE}, and wait a few minutes.",
    ),
    (
        {"CONSUMER_INVALID", "CONSUMER_SUSPENDED", "projectSuspended", "API_KEY_PROJECT_INVALID"},
        "Its project is suspended or was deleted. Set YOUTUBE_API_KEY to a key of another project.",
    ),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """``reasons``: machine-readable; ``text``: the message, and what the details say of the limit."""

    reasons: set[str]
    text: str


def translate(error: HttpError, *, of_user: bool) -> Exception:
    """``of_user``: the call was made with a user's access token."""
    status, said = int(error.resp.status), _said(error.content)
    reasons = said.reasons
    if of_user and (
        status == 401 or reasons & {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
    ):
        return GrantExpired()
    is_rate = bool(reasons & _RATE) or status == 429
    if reasons & _DAILY or (is_rate and _PER_DAY.search(said.text)):
        until = quota_reset(clock.now())
        return Deferred(
            f"YouTube's daily quota is used up. Indexing goes on at {clock.rfc3339(until)}.", until
        )
    if is_rate:
        until = clock.now() + _RATE_PAUSE
        return Deferred(
            f"YouTube gets too many requests in a minute. Indexing goes on at {clock.rfc3339(until)}.", until
        )
    if status >= 500:
        return Transient("YouTube is overloaded.", detail=f"Data API: HTTP {status}")
    for which, advice in _KEY:
        if found := reasons & which:
            return JobFailed(
                f"YouTube refuses the API key of this service ({', '.join(sorted(found))}). Only the "
                f"operator can mend that. {advice} Then try again."
            )
    if status == 404 or reasons & _HIDDEN:
        return NotVisible(NOT_VISIBLE)
    if reasons & {"watchLaterNotAccessible", "watchHistoryNotAccessible"}:
        return JobFailed(WATCH_LATER)
    detail = ", ".join(sorted(reasons)) or "no reason given"
    return JobFailed(f"YouTube refused to list the playlist (HTTP {status}: {detail}).")


def quota_reset(now: datetime) -> datetime:
    """The quota of the Data API is renewed at midnight Pacific time."""
    pacific = now.astimezone(ZoneInfo("America/Los_Angeles"))
    tomorrow = (pacific + timedelta(days=1)).date()
    return datetime.combine(tomorrow, datetime.min.time(), pacific.tzinfo).astimezone(UTC)


def _said(content: bytes) -> _Said:
    try:
        error = json.loads(content)["error"]
        errors = [*_objects(error.get("errors")), *_objects(error.get("details"))]
    except (ValueError, KeyError, TypeError, AttributeError):
        return _Said(set(), "")
    reasons = {each["reason"] for each in errors if isinstance(each.get("reason"), str)}
    texts = [error.get("message"), *(each.get("message") for each in errors)]
    limits = [json.dumps(each["metadata"]) for each in errors if "metadata" in each]
    text = " ".join(each for each in texts if isinstance(each, str))
    # Older answers give a general reason, and say what is wrong in words only.
    if re.search(r"api key (not valid|expired|not found)", text, re.IGNORECASE):
        reasons.add("API_KEY_INVALID")
    return _Said(reasons, " ".join([text, *limits]))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
