"""The YouTube Data API v3: what is in a playlist, and what the videos are.

https://developers.google.com/youtube/v3/docs (playlists.list, playlistItems.list, videos.list: one
unit of quota each, 50 items a page, 50 ids a call).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from shared import clients, clock
from shared.errors import Deferred, GrantExpired, JobFailed, NotVisible, Transient
from shared.messages import is_id
from shared.prefetch import prefetch
from shared.store import Metadata

#: YouTube's own limits are 100 and 5,000 characters; more than this is not a title or description.
_MAXIMUM_TITLE, _MAXIMUM_DESCRIPTION = 500, 20_000
#: Watch Later and the history: https://developers.google.com/youtube/v3/revision_history#september-15,-2016
_REFUSED = ("WL", "HL")
WATCH_LATER = (
    "YouTube shows Watch Later and the history to no other program. Add the videos to a playlist of "
    "your own and index that."
)
_LIKED = "LL"
_PLAYLIST_PARTS = "snippet,contentDetails,status"
#: What is assumed of Liked videos where YouTube lists them but does not describe them.
_LIKED_TITLE, _LIKED_COUNT = "Liked videos", 5000
#: Pages of own playlists that are listed, 50 each.
_MAXIMUM_PAGES = 20
_NOT_THERE = (
    "YouTube knows no playlist with this id, or it is private. Check the link, make the playlist "
    "public or unlisted, or sign in with Google as the one it belongs to."
)


@dataclass(frozen=True, slots=True)
class PlaylistInfo:
    title: str
    thumbnail_url: str | None
    #: What YouTube says; it can exceed what it lists.
    item_count: int
    #: public, unlisted or private.
    privacy: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One place in a playlist. ``gone``: why it cannot be watched, if so."""

    video_id: str
    title: str
    channel: str
    channel_id: str
    published_at: datetime | None
    position: int
    gone: str | None

    def metadata(self, now: datetime) -> Metadata:
        """What is known of a video that videos.list leaves out."""
        return Metadata(
            self.video_id,
            self.title,
            "",
            self.channel,
            self.channel_id,
            self.published_at,
            None,
            None,
            None,
            now,
        )


def refused(playlist_id: str) -> bool:
    """Whether YouTube shows it to no program, not even in its owner's name."""
    return playlist_id in _REFUSED


def playlist(playlist_id: str, access: str | None = None) -> PlaylistInfo:
    """As everybody sees it, or as who gave us the access token ``access``.

    Raises:
        NotVisible: unknown, or private to somebody else.
        GrantExpired: the access has ended.
        JobFailed: not listable.
        Deferred: the quota is used up.
        Transient: YouTube does not answer.
    """
    if refused(playlist_id):
        raise JobFailed(WATCH_LATER)
    answer = _execute(
        lambda api: api.playlists().list(part=_PLAYLIST_PARTS, id=playlist_id, maxResults=1), access
    )
    found = _items(answer)
    if found:
        return _info(found[0])
    if access is not None and playlist_id.startswith(_LIKED):
        return PlaylistInfo(_LIKED_TITLE, None, _LIKED_COUNT, "private")
    raise NotVisible(_NOT_THERE)


def own_playlists(access: str) -> list[tuple[str, PlaylistInfo]]:
    """The playlists of who gave us ``access``, the Liked videos first; id and what is known of each.

    Raises as :func:`playlist`.
    """
    answer = _execute(lambda api: api.channels().list(part="contentDetails", mine=True, maxResults=1), access)
    found: list[tuple[str, PlaylistInfo]] = []
    for channel in _items(answer):
        likes = ((channel.get("contentDetails") or {}).get("relatedPlaylists") or {}).get("likes")
        if isinstance(likes, str) and is_id(likes):
            found.append((likes, playlist(likes, access)))
    listed = _pages(
        lambda api, page_token: api.playlists().list(
            part=_PLAYLIST_PARTS, mine=True, maxResults=50, pageToken=page_token
        ),
        access,
    )
    for items in islice(listed, _MAXIMUM_PAGES):
        found += [(str(item["id"]), _info(item)) for item in items if is_id(item.get("id"))]
    return found


def _info(found: dict[str, Any]) -> PlaylistInfo:
    snippet = found.get("snippet") or {}
    privacy = (found.get("status") or {}).get("privacyStatus")
    return PlaylistInfo(
        str(snippet.get("title", ""))[:_MAXIMUM_TITLE],
        _thumbnail(snippet),
        _whole((found.get("contentDetails") or {}).get("itemCount")) or 0,
        privacy if privacy in ("public", "unlisted", "private") else None,
    )


def pages(playlist_id: str, access: str | None = None) -> Iterator[list[Item]]:
    """The items of a playlist, up to 50 at a time, in its order; raises as :func:`playlist`.

    The next page is prefetched while the caller works on the current one.
    """
    listed = _pages(
        lambda api, page_token: api.playlistItems().list(
            part="snippet,contentDetails,status",
            playlistId=playlist_id,
            maxResults=50,
            pageToken=page_token,
        ),
        access,
    )
    for items in prefetch(listed, "listing"):
        yield [item for item in map(_item, items) if item is not None]


def _pages(request: Callable[..., Any], access: str | None) -> Iterator[list[dict[str, Any]]]:
    token: str | None = None
    seen: set[str] = set()
    while True:
        answer = _execute(partial(request, page_token=token), access)
        yield _items(answer)
        token = answer.get("nextPageToken")
        if not token:
            return
        if token in seen:
            raise Transient("YouTube listed the same page twice.")
        seen.add(token)


def videos(video_ids: Sequence[str]) -> list[Metadata]:
    """Metadata of up to 50 videos as everybody sees them; those that are private or gone are missing.

    Never asked in a user's name: what it answers is stored for everybody.
    """
    if not video_ids:
        return []
    answer = _execute(
        lambda api: api.videos().list(
            part="snippet,contentDetails,statistics", id=",".join(video_ids), maxResults=50
        )
    )
    now = clock.now()
    return [_metadata(found, now) for found in _items(answer) if isinstance(found.get("id"), str)]


def _items(answer: dict[str, Any]) -> list[dict[str, Any]]:
    found = answer.get("items", [])
    if not isinstance(found, list):
        raise Transient("YouTube's answer has no list of items.")
    return [each for each in found if isinstance(each, dict)]


def _item(found: dict[str, Any]) -> Item | None:
    snippet, details = found.get("snippet") or {}, found.get("contentDetails") or {}
    video_id = details.get("videoId") or (snippet.get("resourceId") or {}).get("videoId")
    if not isinstance(video_id, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", video_id):
        return None
    title = str(snippet.get("title", ""))[:_MAXIMUM_TITLE]
    privacy = (found.get("status") or {}).get("privacyStatus")
    gone = None
    # Nothing else tells them apart: https://developers.google.com/youtube/v3/docs/playlistItems
    if privacy == "private":
        gone = "The video is private."
    elif privacy == "privacyStatusUnspecified" and title == "Deleted video":
        gone = "The video was deleted from YouTube."
    return Item(
        video_id=video_id,
        title=title,
        channel=str(snippet.get("videoOwnerChannelTitle", ""))[:_MAXIMUM_TITLE],
        channel_id=str(snippet.get("videoOwnerChannelId", ""))[:64],
        published_at=clock.parse(details.get("videoPublishedAt")),
        position=_whole(snippet.get("position")) or 0,
        gone=gone,
    )


def _metadata(found: dict[str, Any], now: datetime) -> Metadata:
    snippet = found.get("snippet") or {}
    return Metadata(
        video_id=found["id"],
        title=str(snippet.get("title", ""))[:_MAXIMUM_TITLE],
        description=str(snippet.get("description", ""))[:_MAXIMUM_DESCRIPTION],
        channel=str(snippet.get("channelTitle", ""))[:_MAXIMUM_TITLE],
        channel_id=str(snippet.get("channelId", ""))[:64],
        published_at=clock.parse(snippet.get("publishedAt")),
        duration_seconds=_seconds((found.get("contentDetails") or {}).get("duration")),
        views=_whole((found.get("statistics") or {}).get("viewCount")),
        thumbnail_url=_thumbnail(snippet),
        fetched_at=now,
    )


def _thumbnail(snippet: dict[str, Any]) -> str | None:
    thumbnails = snippet.get("thumbnails") or {}
    for size in ("medium", "high", "default"):
        url = (thumbnails.get(size) or {}).get("url")
        if isinstance(url, str) and re.match(r"https?://", url) and len(url) < 500:
            return url
    return None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and re.fullmatch(r"\d{1,18}", str(value)) else None


def _seconds(text: object) -> int | None:
    """An ISO 8601 duration such as PT1H2M3S or P1DT2S, in seconds; None for nothing or nonsense."""
    found = re.fullmatch(
        r"P(?=\d|T)(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?",
        str(text or ""),
    )
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds


def _quota_reset(now: datetime) -> datetime:
    """The quota of the Data API is full again at midnight Pacific time."""
    pacific = now.astimezone(ZoneInfo("America/Los_Angeles"))
    tomorrow = (pacific + timedelta(days=1)).date()
    return datetime.combine(tomorrow, datetime.min.time(), pacific.tzinfo).astimezone(UTC)


def _execute(request: Callable[[Any], Any], access: str | None = None) -> dict[str, Any]:
    """Runs one API call, with our key or a user's access token; its errors become ours (https://developers.google.com/youtube/v3/docs/errors)."""
    from google.auth.exceptions import GoogleAuthError
    from googleapiclient.errors import Error, HttpError
    from httplib2 import HttpLib2Error
    from httplib2.decode import DecodeLimitError, DecodeRatioError

    # Outside: what is missing in the configuration is not YouTube's silence.
    client = clients.youtube() if access is None else clients.youtube(keyed=False)
    try:
        call = request(client)
        if access is not None:
            call.headers["authorization"] = f"Bearer {access}"
        answer = call.execute(num_retries=0)
    except HttpError as error:
        raise _translated(error, of_user=access is not None) from error
    except (Error, GoogleAuthError, HttpLib2Error, OSError, ValueError) as error:
        raise Transient(f"YouTube's Data API did not answer ({type(error).__name__}).") from error
    except (DecodeLimitError, DecodeRatioError) as error:
        raise Transient("YouTube's Data API sent an answer that unpacks beyond all measure.") from error
    if not isinstance(answer, dict):
        raise Transient("YouTube's Data API answered something that is not an object.")
    return answer


def _translated(error: Any, *, of_user: bool) -> Exception:
    status, reasons = int(error.resp.status), _reasons(error.content)
    if of_user and (
        status == 401 or reasons & {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
    ):
        return GrantExpired()
    if reasons & {"quotaExceeded", "dailyLimitExceeded"}:
        until = _quota_reset(clock.now())
        return Deferred(f"YouTube's daily quota is used up; it goes on at {clock.rfc3339(until)}.", until)
    if reasons & {"rateLimitExceeded", "userRateLimitExceeded"} or status == 429 or status >= 500:
        return Transient(f"YouTube's Data API asks for patience (HTTP {status}).")
    if status == 404 or reasons & {"playlistNotFound", "playlistForbidden", "playlistItemsNotAccessible"}:
        return NotVisible(_NOT_THERE)
    if reasons & {"watchLaterNotAccessible", "watchHistoryNotAccessible"}:
        return JobFailed(WATCH_LATER)
    detail = ", ".join(sorted(reasons)) or "no reason given"
    return JobFailed(f"YouTube's Data API refused the request (HTTP {status}: {detail}).")


def _reasons(content: bytes) -> set[str]:
    try:
        error = json.loads(content)["error"]
        reasons = {each.get("reason") for each in error.get("errors", [])} | {
            each.get("reason") for each in error.get("details", [])
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
    return {reason for reason in reasons if isinstance(reason, str)}
