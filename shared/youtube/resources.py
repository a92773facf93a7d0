"""The resources of the YouTube Data API as dataclasses: playlists, their items, and videos."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared import clock
from shared.errors import Transient
from shared.transcripts.videos import Metadata
from shared.youtube.tracks import plain_language

#: The most that one request of the Data API lists, and the most ids that one names.
PAGE = 50
#: YouTube's own limits are 100 and 5,000 characters. Anything longer is no title and no description.
_MAXIMUM_TITLE, _MAXIMUM_DESCRIPTION = 500, 20_000


@dataclass(frozen=True, slots=True)
class PlaylistInfo:
    """A playlist.

    ``item_count``: as YouTube says, which can exceed what it lists. ``privacy``: public, unlisted or
    private; None if YouTube says something else.
    """

    title: str
    thumbnail_url: str | None
    item_count: int
    privacy: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One place in a playlist. ``gone``: why the video cannot be watched; None if it can.

    ``added_at``: when it was put there.
    """

    video_id: str
    title: str
    channel: str
    channel_id: str
    published_at: datetime | None
    position: int
    gone: str | None
    added_at: datetime | None = None

    def metadata(self, now: datetime) -> Metadata:
        """Metadata from the playlist, for a video that is missing in the answer of videos.list."""
        return Metadata(
            video_id=self.video_id,
            title=self.title,
            description="",
            channel=self.channel,
            channel_id=self.channel_id,
            published_at=self.published_at,
            duration_seconds=None,
            views=None,
            thumbnail_url=None,
            fetched_at=now,
        )


@dataclass(frozen=True, slots=True)
class FirstPage:
    """The beginning of a playlist. ``etag`` changes whenever YouTube's answer does, also when the number of
    all items does. ``next_token``: of the next page; None when there is none.
    """

    etag: str
    items: tuple[Item, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel. ``videos``: how many are public; None if YouTube does not say."""

    channel_id: str
    title: str
    thumbnail_url: str | None
    videos: int | None = None


#: What YouTube shows under which tab of a channel.
Kind = Literal["video", "short", "live"]
#: Seconds that a Short may take (https://support.google.com/youtube/answer/15424877).
_LONGEST_SHORT = 180


def channel_from(found: dict[str, Any]) -> Channel | None:
    """A resource of channels.list (https://developers.google.com/youtube/v3/docs/channels)."""
    snippet, channel_id = found.get("snippet") or {}, found.get("id")
    if not _is_channel_id(channel_id):
        return None
    videos = _whole_number((found.get("statistics") or {}).get("videoCount"))
    return Channel(
        str(channel_id), str(snippet.get("title", ""))[:_MAXIMUM_TITLE], _thumbnail(snippet), videos
    )


def subscribed_to(found: dict[str, Any]) -> Channel | None:
    """The channel in a resource of subscriptions.list.

    https://developers.google.com/youtube/v3/docs/subscriptions
    """
    snippet = found.get("snippet") or {}
    channel_id = (snippet.get("resourceId") or {}).get("channelId")
    if not _is_channel_id(channel_id):
        return None
    return Channel(str(channel_id), str(snippet.get("title", ""))[:_MAXIMUM_TITLE], _thumbnail(snippet))


def _is_channel_id(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"UC[A-Za-z0-9_-]{22}", value) is not None


def kind_of(found: dict[str, Any]) -> Kind:
    """What a resource of videos.list is, with its contentDetails and liveStreamingDetails."""
    if found.get("liveStreamingDetails"):
        return "live"
    duration = _seconds((found.get("contentDetails") or {}).get("duration"))
    return "short" if duration and duration <= _LONGEST_SHORT else "video"


def playlist_info(found: dict[str, Any]) -> PlaylistInfo:
    """A resource of playlists.list (https://developers.google.com/youtube/v3/docs/playlists)."""
    snippet = found.get("snippet") or {}
    privacy = (found.get("status") or {}).get("privacyStatus")
    return PlaylistInfo(
        str(snippet.get("title", ""))[:_MAXIMUM_TITLE],
        _thumbnail(snippet),
        _whole_number((found.get("contentDetails") or {}).get("itemCount")) or 0,
        privacy if privacy in ("public", "unlisted", "private") else None,
    )


def items_of(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The resources in an answer of any list method. Raises Transient when there is no list."""
    found = answer.get("items", [])
    if not isinstance(found, list):
        raise Transient("YouTube sent an answer that cannot be read.")
    return [each for each in found if isinstance(each, dict)]


def item_from(found: dict[str, Any]) -> Item | None:
    """A resource of playlistItems.list (https://developers.google.com/youtube/v3/docs/playlistItems).

    None when it names no video.
    """
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
        position=_whole_number(snippet.get("position")) or 0,
        gone=gone,
        # Not of the video: when it was added to the playlist.
        added_at=clock.parse(snippet.get("publishedAt")),
    )


def metadata_of(found: dict[str, Any], now: datetime) -> Metadata:
    """A resource of videos.list (https://developers.google.com/youtube/v3/docs/videos)."""
    snippet = found.get("snippet") or {}
    return Metadata(
        video_id=found["id"],
        title=str(snippet.get("title", ""))[:_MAXIMUM_TITLE],
        description=str(snippet.get("description", ""))[:_MAXIMUM_DESCRIPTION],
        channel=str(snippet.get("channelTitle", ""))[:_MAXIMUM_TITLE],
        channel_id=str(snippet.get("channelId", ""))[:64],
        published_at=clock.parse(snippet.get("publishedAt")),
        duration_seconds=_seconds((found.get("contentDetails") or {}).get("duration")),
        views=_whole_number((found.get("statistics") or {}).get("viewCount")),
        thumbnail_url=_thumbnail(snippet),
        fetched_at=now,
        listed=True,
        audio_language=_language(snippet.get("defaultAudioLanguage")),
    )


def _thumbnail(snippet: dict[str, Any]) -> str | None:
    thumbnails = snippet.get("thumbnails") or {}
    for size in ("medium", "high", "default"):
        url = (thumbnails.get(size) or {}).get("url")
        if isinstance(url, str) and re.match(r"https?://", url) and len(url) < 500:
            return url
    return None


def _language(value: object) -> str | None:
    """None for no language, and for ``zxx``: nothing is said."""
    is_code = isinstance(value, str) and re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9_]{1,11})*", value)
    return plain_language(str(value)) if is_code and value != "zxx" else None


def _whole_number(value: object) -> int | None:
    return int(value) if isinstance(value, int | str) and re.fullmatch(r"\d{1,18}", str(value)) else None


def _seconds(text: object) -> int | None:
    """An ISO 8601 duration such as PT1H2M3S or P1DT2S in seconds. None if there is none, or it is wrong."""
    found = re.fullmatch(
        r"P(?=\d|T)(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?",
        str(text or ""),
    )
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds
