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
from shared.errors import Deferred, GrantExpired, JobFailed, KeyRefused, NotVisible, Transient
from shared.youtube.addresses import WATCH_LATER

NOT_VISIBLE = (
    "YouTube knows no playlist with this id, or it is private. Check the link, make the playlist "
    "public or unlisted, or sign in with Google as the owner."
)
#: After too many requests in a minute.
_RATE_PAUSE = timedelta(minutes=1)

_DAILY = {"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"}
_RATE = {
    "rateLimitExceeded",
    "rateLimitExceededUnreg",
    "userRateLimitExceeded",
    "userRateLimitExceededUnreg",
    "concurrentLimitExceeded",
    "servingLimitExceeded",
    "RATE_LIMIT_EXCEEDED",
    "RESOURCE_EXHAUSTED",
}
#: How Google names a limit for a day: "Queries per day", "defaultPerDayPerProject", "1/d/{project}".
_PER_DAY = re.compile(r"per ?day|daily|\b1/d/", re.IGNORECASE)
#: A message names the limit in quotes, or says in a sentence that it was exceeded.
_NAMED = re.compile(r"limit ['\"]([^'\"]+)['\"]", re.IGNORECASE)
_EXCEEDED = re.compile(r"[^.!]*\b(?:exceed|exhaust|reached|used up)[^.!]*", re.IGNORECASE)
_SHORTER = re.compile(r"per (?:minute|second|\d+ seconds)", re.IGNORECASE)
_HIDDEN = {"playlistNotFound", "playlistForbidden", "playlistItemsNotAccessible"}

_LIMITED = "In the Google Cloud console, under Credentials, change the"
_SERVERS = f"{_LIMITED} application restrictions of the key to the IP addresses of this server."
#: What is wrong with the operator's key or project, by reason or, in older answers, by words; and what to
#: change.
_KEY: tuple[tuple[set[str], str, str], ...] = (
    (
        {"API_KEY_INVALID", "keyInvalid", "keyExpired", "API_KEY_EXPIRED", "CREDENTIALS_MISSING"},
        r"api key (is )?(not valid|invalid|expired|not found)|valid api key|unregistered callers",
        "It is not valid, or has expired. Set a valid key.",
    ),
    (
        {"API_KEY_HTTP_REFERRER_BLOCKED", "refererBlocked", "ipRefererBlocked"},
        r"referr?er .*blocked|referr?er restriction",
        f"It is limited to web pages. {_SERVERS}",
    ),
    (
        {"API_KEY_IP_ADDRESS_BLOCKED", "ipBlocked"},
        r"ip address restriction|ip address .*(blocked|violates)",
        f"It is limited to other IP addresses. {_SERVERS}",
    ),
    (
        {"API_KEY_ANDROID_APP_BLOCKED", "API_KEY_IOS_APP_BLOCKED"},
        r"(android|ios) .*blocked|(android|ios) .*restriction",
        f"It is limited to an app. {_SERVERS}",
    ),
    (
        {"API_KEY_SERVICE_BLOCKED"},
        r"requests to this api .*blocked",
        f"It is limited to other APIs. {_LIMITED} API restrictions of the key: add YouTube Data API v3.",
    ),
    (
        {"accessNotConfigured", "SERVICE_DISABLED"},
        r"has not been used in project|api .*(is|been) (disabled|not enabled)|access not configured",
        "YouTube Data API v3 is not enabled in its project. Enable it in the Google Cloud console, under "
        "Library, and wait a few minutes.",
    ),
    (
        {"CONSUMER_INVALID", "CONSUMER_SUSPENDED", "projectSuspended", "API_KEY_PROJECT_INVALID"},
        r"(consumer|project) .*(suspended|deleted|is invalid)",
        "Its project is suspended or was deleted. Set a key of another project.",
    ),
)


@dataclass(frozen=True, slots=True)
class _Said:
    """``reasons``: machine-readable; ``text``: the message; ``limits``: how the details name the limit.

    ``readable``: it was an answer of the API, and not some page.
    """

    reasons: set[str]
    text: str = ""
    limits: str = ""
    readable: bool = True

    def is_daily(self) -> bool:
        """Whether the limit is for a day. A message may also advise to ask for more a day."""
        named = self.limits or " ".join(_NAMED.findall(self.text))
        if named:
            return _PER_DAY.search(named) is not None
        sentences = _EXCEEDED.findall(self.text)
        return any(_PER_DAY.search(each) and not _SHORTER.search(each) for each in sentences)


def translate(error: HttpError, *, of_user: bool) -> Exception:
    """``of_user``: the call was made with a user's access token."""
    status, said = int(error.resp.status), _said(error.content)
    reasons = said.reasons
    if of_user and (
        status == 401 or reasons & {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
    ):
        return GrantExpired()
    is_rate = bool(reasons & _RATE) or status == 429
    if reasons & _DAILY or (is_rate and said.is_daily()):
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
    if status == 408 or (status == 403 and not said.readable):
        return Transient("YouTube does not answer now.", detail=f"Data API: HTTP {status}")
    if status in (400, 401, 403) and (trouble := _trouble_with_key(said)) is not None:
        return trouble
    if status == 404 or reasons & _HIDDEN:
        return NotVisible(NOT_VISIBLE)
    if reasons & {"watchLaterNotAccessible", "watchHistoryNotAccessible"}:
        return JobFailed(WATCH_LATER)
    detail = ", ".join(sorted(reasons)) or "no reason given"
    return JobFailed(f"YouTube refused to list the playlist (HTTP {status}: {detail}).")


def _trouble_with_key(said: _Said) -> KeyRefused | None:
    """What is wrong with the key. A reason counts before words."""
    for by_words in (False, True):
        for which, words, advice in _KEY:
            found = ", ".join(sorted(said.reasons & which))
            if found or (by_words and re.search(words, said.text, re.IGNORECASE)):
                why = f" ({found})" if found else ""
                return KeyRefused(
                    f"YouTube refuses the API key of this service{why}. Only the operator can mend that. "
                    f"{advice} Then try again."
                )
    return None


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
        return _Said(set(), readable=_is_json(content))
    reasons = {each["reason"] for each in errors if isinstance(each.get("reason"), str)}
    texts = [error.get("message"), *(each.get("message") for each in errors)]
    details = [each["metadata"] for each in errors if isinstance(each.get("metadata"), dict)]
    limits = [str(each[name]) for each in details for name in ("quota_limit", "quota_unit") if name in each]
    reasons |= {str(error.get("status"))} & _RATE
    return _Said(reasons, " ".join(each for each in texts if isinstance(each, str)), " ".join(limits))


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
