"""The resources of the Data API as JSON: playlists, playlist items, videos and channels.

Their shapes: https://developers.google.com/youtube/v3/docs/{playlists,playlistItems,videos,channels}.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

from infra.local.fake_youtube.library.channels import handle_of
from infra.local.fake_youtube.library.model import DELETED, HIDDEN, LIVE, PRIVATE, Channel, Playlist, Video

#: Name, file name, width, height.
_THUMBNAILS = (
    ("default", "default", 120, 90),
    ("medium", "mqdefault", 320, 180),
    ("high", "hqdefault", 480, 360),
)
#: Title, description and privacy status of an item whose video is hidden.
_PLACEHOLDERS = {
    PRIVATE: ("Private video", "This video is private.", "private"),
    DELETED: ("Deleted video", "This video is unavailable.", "privacyStatusUnspecified"),
}


def etag(text: str) -> str:
    return urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=20).digest()).decode().rstrip("=")


def thumbnails(video_id: str, origin: str) -> dict[str, Any]:
    return {
        name: {"url": f"{origin}/vi/{video_id}/{file}.jpg", "width": width, "height": height}
        for name, file, width, height in _THUMBNAILS
    }


def iso_duration(seconds: int) -> str:
    """``PT1H2M3S``, and ``P1DT2H`` from one day on. Zero is ``P0D``, as for a live broadcast."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, seconds = divmod(rest, 60)
    time = "".join(
        f"{value}{unit}" for value, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if value
    )
    date = f"P{days}D" if days or not time else "P"
    return f"{date}T{time}" if time else date


def playlist(value: Playlist, parts: set[str], origin: str) -> dict[str, Any]:
    resource: dict[str, Any] = {"kind": "youtube#playlist", "etag": etag(value.id), "id": value.id}
    if "snippet" in parts:
        first = value.video_ids[0] if value.video_ids else "AAAAAAAAAAA"
        resource["snippet"] = {
            "publishedAt": value.published_at,
            "channelId": value.channel.id,
            "title": value.title,
            "description": value.description,
            "thumbnails": thumbnails(first, origin),
            "channelTitle": value.channel.title,
            "localized": {"title": value.title, "description": value.description},
        }
    if "status" in parts:
        resource["status"] = {"privacyStatus": value.privacy}
    if "contentDetails" in parts:
        resource["contentDetails"] = {"itemCount": value.item_count}
    return resource


def playlist_item(
    parent: Playlist,
    position: int,
    video: Video | None,
    video_id: str,
    owned: bool,
    parts: set[str],
    origin: str,
) -> dict[str, Any]:
    """`video`: None if it does not exist any more. `owned`: the video is the caller's own."""
    identifier = urlsafe_b64encode(f"{parent.id}.{position:016X}".encode()).decode().rstrip("=")
    resource: dict[str, Any] = {
        "kind": "youtube#playlistItem",
        "etag": etag(identifier),
        "id": identifier,
    }
    status = parent.hidden.get(video_id) or (DELETED if video is None else video.status)
    hidden = status in HIDDEN and not (owned and status == PRIVATE)
    if "snippet" in parts:
        snippet: dict[str, Any] = {
            "publishedAt": parent.added.get(video_id, parent.published_at),
            "channelId": parent.channel.id,
            "title": "",
            "description": "",
            "thumbnails": {},
            "channelTitle": parent.channel.title,
            "playlistId": parent.id,
            "position": position,
            "resourceId": {"kind": "youtube#video", "videoId": video_id},
        }
        if hidden or video is None:
            snippet["title"], snippet["description"], _ = _PLACEHOLDERS[status]
        else:
            snippet["title"], snippet["description"] = video.title, video.description
            snippet["thumbnails"] = thumbnails(video_id, origin)
            snippet["videoOwnerChannelTitle"] = video.channel.title
            snippet["videoOwnerChannelId"] = video.channel.id
        resource["snippet"] = snippet
    if "contentDetails" in parts:
        resource["contentDetails"] = {"videoId": video_id}
        if not hidden and video is not None:
            resource["contentDetails"]["videoPublishedAt"] = video.published_at
    if "status" in parts:
        privacy = _PLACEHOLDERS[status][2] if status in _PLACEHOLDERS else "public"
        resource["status"] = {"privacyStatus": privacy}
    return resource


def video(value: Video, parts: set[str], origin: str) -> dict[str, Any]:
    resource: dict[str, Any] = {"kind": "youtube#video", "etag": etag(value.id), "id": value.id}
    if "snippet" in parts:
        snippet: dict[str, Any] = {
            "publishedAt": value.published_at,
            "channelId": value.channel.id,
            "title": value.title,
            "description": value.description,
            "thumbnails": thumbnails(value.id, origin),
            "channelTitle": value.channel.title,
            "categoryId": "27",
            "liveBroadcastContent": {"premiere": "upcoming", LIVE: "live"}.get(value.status, "none"),
            "localized": {"title": value.title, "description": value.description},
        }
        if value.language is not None:
            snippet["defaultAudioLanguage"] = value.language
        resource["snippet"] = snippet
    if "contentDetails" in parts:
        human = any(not track.generated for track in value.tracks)
        rating = {"ytRating": "ytAgeRestricted"} if value.status == "age_restricted" else {}
        resource["contentDetails"] = {
            "duration": iso_duration(0 if value.status in ("premiere", LIVE) else value.duration),
            "dimension": "2d",
            "definition": "hd",
            "caption": "true" if human else "false",
            "licensedContent": False,
            "contentRating": rating,
            "projection": "rectangular",
        }
    if "status" in parts:
        resource["status"] = {
            "uploadStatus": "processed",
            "privacyStatus": "private" if value.status == PRIVATE else "public",
            "license": "youtube",
            "embeddable": True,
            "publicStatsViewable": True,
            "madeForKids": False,
        }
    if "liveStreamingDetails" in parts and (value.streamed or value.status == LIVE):
        resource["liveStreamingDetails"] = {"actualStartTime": value.published_at}
    if "statistics" in parts:
        resource["statistics"] = {
            "viewCount": str(value.views),
            "likeCount": str(value.views // 40),
            "favoriteCount": "0",
            "commentCount": str(value.views // 900),
        }
    return resource


def channel(value: Channel, parts: set[str], origin: str, likes: str | None, videos: int) -> dict[str, Any]:
    """`likes`: the id of the Liked videos, or None. YouTube gives it only to the channel's owner. `videos`:
    how many are public."""
    resource: dict[str, Any] = {"kind": "youtube#channel", "etag": etag(value.id), "id": value.id}
    if "snippet" in parts:
        resource["snippet"] = {
            "title": value.title,
            "description": "",
            "customUrl": handle_of(value),
            "publishedAt": "2012-05-04T09:30:00Z",
            "thumbnails": thumbnails(value.id, origin),
            "localized": {"title": value.title, "description": ""},
        }
    if "contentDetails" in parts:
        related = {"uploads": "UU" + value.id[2:]}
        if likes is not None:
            related = {"likes": likes, **related}
        resource["contentDetails"] = {"relatedPlaylists": related}
    if "statistics" in parts:
        resource["statistics"] = {
            "viewCount": "120000",
            "subscriberCount": "1500",
            "hiddenSubscriberCount": False,
            "videoCount": str(videos),
        }
    return resource


def subscription(value: Channel, own: Channel, parts: set[str], origin: str) -> dict[str, Any]:
    """`own`: the channel of the user who has subscribed."""
    identifier = etag(f"subscription/{own.id}/{value.id}")
    resource: dict[str, Any] = {
        "kind": "youtube#subscription",
        "etag": etag(identifier),
        "id": identifier,
    }
    if "snippet" in parts:
        resource["snippet"] = {
            "publishedAt": "2020-02-02T10:00:00.123456Z",
            "title": value.title,
            "description": "",
            "resourceId": {"kind": "youtube#channel", "channelId": value.id},
            "channelId": own.id,
            "thumbnails": thumbnails(value.id, origin),
        }
    if "contentDetails" in parts:
        resource["contentDetails"] = {"totalItemCount": 40, "newItemCount": 0, "activityType": "all"}
    return resource
