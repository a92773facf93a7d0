"""Videos and playlists that tests define in JSON. Text is taken as it is, however hostile.

The definition of a video that already exists (generated, sample or defined before) changes only what it
names. So a test lets captions appear later by defining the video again with tracks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from infra.local.fake_youtube.fields import ControlError, FieldTypes, check_choice, check_fields, quote
from infra.local.fake_youtube.library.catalog import USERS
from infra.local.fake_youtube.library.model import (
    HIDDEN,
    OK,
    TRACK_FAULTS,
    AudioTrack,
    Channel,
    Line,
    Playlist,
    Track,
    Video,
    channel_named,
    track_name,
)
from infra.local.fake_youtube.library.playability import STATUSES

_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_PLAYLIST_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_VIDEO_FIELDS: FieldTypes = {
    "id": str, "title": str, "description": str, "channel": str, "published_at": str, "duration": int,
    "status": str, "reason": str, "subreason": str, "playability": str, "views": int, "language": str,
    "starts_at": str, "owner": str, "streamed": bool, "tracks": list, "audio_tracks": list,
    "default_audio_track": int,
}  # fmt: skip
_TRACK_FIELDS: FieldTypes = {"language": str, "name": str, "kind": str, "lines": list, "fault": str}
_AUDIO_FIELDS: FieldTypes = {"id": str, "captions": list, "default": int}
_CHANNEL_FIELDS: FieldTypes = {"title": str, "handle": str, "user": str, "has_prefixes": bool}
_PLAYLIST_FIELDS: FieldTypes = {
    "id": str, "title": str, "description": str, "channel": str, "published_at": str, "privacy": str,
    "owner": str, "extra": int, "videos": list,
}  # fmt: skip


def _parse_id(fields: Mapping[str, Any], pattern: re.Pattern[str]) -> str:
    value = fields.get("id")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ControlError(f"expected 'id' to match {pattern.pattern}; found {quote(value)}")
    return value


def parse_video(fields: Mapping[str, Any], find: Callable[[str], Video | None]) -> Video:
    """`find`: finds the video that the definition changes. Lines are ``[start, duration, text]``, times in
    seconds.

    Raises:
        ControlError
    """
    check_fields(fields, _VIDEO_FIELDS)
    video_id = _parse_id(fields, _VIDEO_ID)
    base = find(video_id) or Video(
        video_id, f"Video {video_id}", "", channel_named("Tests"), "2024-01-01T00:00:00Z", 600, ()
    )
    changes = dict(fields)
    if "channel" in fields:
        changes["channel"] = channel_named(fields["channel"])
    if "tracks" in fields:
        changes["tracks"] = tuple(map(_parse_track, fields["tracks"]))
        changes.setdefault("status", OK)
        changes.setdefault("audio_tracks", [])
        last_lines = [line for track in changes["tracks"] for line in track.lines()[-1:]]
        if last_lines and "duration" not in fields:
            changes["duration"] = int(max(line.start + line.duration for line in last_lines)) + 1
    if "audio_tracks" in changes:
        changes["audio_tracks"] = tuple(map(_parse_audio_track, changes["audio_tracks"]))
    if "status" in changes:
        check_choice("status", changes["status"], sorted(STATUSES))
    if "starts_at" in changes:
        _check_time("starts_at", changes["starts_at"])
    if "owner" in fields:
        check_choice("owner", fields["owner"], USERS)
    return replace(base, **changes)


def _check_time(name: str, value: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise ControlError(f"expected {name!r} to be a time in RFC 3339; found {quote(value)}") from error


def _parse_track(fields: Any) -> Track:
    if not isinstance(fields, dict):
        raise ControlError(f"expected a track to be an object; found {quote(fields)}")
    check_fields(fields, _TRACK_FIELDS)
    language, kind = fields.get("language", "en"), fields.get("kind", "human")
    check_choice("kind", kind, ("human", "generated"))
    generated = kind == "generated"
    lines = tuple(map(_parse_line, fields.get("lines", [])))
    name = fields.get("name") or track_name(language, generated)
    fault = fields.get("fault", "")
    if fault:
        check_choice("fault", fault, TRACK_FAULTS)
    return Track(language, name, generated, partial(tuple[Line, ...], lines), fault)


def _parse_audio_track(fields: Any) -> AudioTrack:
    if not isinstance(fields, dict):
        raise ControlError(f"expected an audio track to be an object; found {quote(fields)}")
    check_fields(fields, _AUDIO_FIELDS)
    captions = fields.get("captions", [])
    if not all(isinstance(each, int) for each in captions):
        raise ControlError(f"expected 'captions' to be places of tracks; found {quote(captions)}")
    return AudioTrack(fields.get("id", ""), tuple(captions), fields.get("default"))


def _parse_line(fields: Any) -> Line:
    match fields:
        case [int() | float() as start, int() | float() as duration, str() as text]:
            return Line(float(start), float(duration), text)
    raise ControlError(f"expected a line to be [start, duration, text]; found {quote(fields)}")


def parse_playlist(fields: Mapping[str, Any]) -> Playlist:
    """``videos`` are ids, or ``{"id": …, "status": "private" or "deleted", "added_at": …}`` for a video that
    is hidden only in this playlist, or was added later than the playlist was made.

    Raises:
        ControlError
    """
    check_fields(fields, _PLAYLIST_FIELDS)
    playlist_id = _parse_id(fields, _PLAYLIST_ID)
    video_ids: list[str] = []
    hidden: dict[str, str] = {}
    added: dict[str, str] = {}
    for video in fields.get("videos", []):
        item = {"id": video} if isinstance(video, str) else video
        if not isinstance(item, dict):
            raise ControlError(f"expected a video to be an id or an object; found {quote(video)}")
        video_ids.append(_parse_id(item, _VIDEO_ID))
        if "status" in item:
            check_choice("status", item["status"], sorted(HIDDEN))
            hidden[video_ids[-1]] = item["status"]
        if "added_at" in item:
            _check_time("added_at", item["added_at"])
            added[video_ids[-1]] = item["added_at"]
    owner = fields.get("owner")
    if owner is not None:
        check_choice("owner", owner, USERS)
    privacy = fields.get("privacy", "public")
    check_choice("privacy", privacy, ("public", "unlisted", "private"))
    return Playlist(
        id=playlist_id,
        title=fields.get("title", f"Playlist {playlist_id}"),
        description=fields.get("description", ""),
        channel=USERS[owner] if owner is not None else channel_named(fields.get("channel", "Tests")),
        published_at=fields.get("published_at", "2024-01-01T00:00:00Z"),
        video_ids=tuple(video_ids),
        privacy=privacy,
        owner=owner,
        extra=fields.get("extra", 0),
        hidden=hidden,
        added=added,
    )


def parse_channel(fields: Mapping[str, Any]) -> Channel:
    """The id follows from the title.

    Raises:
        ControlError
    """
    check_fields(fields, _CHANNEL_FIELDS)
    if not isinstance(fields.get("title"), str):
        raise ControlError(f"expected a channel to have a 'title'; found {quote(fields)}")
    return replace(channel_named(fields["title"]), **fields)


def parse_subscriptions(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """The titles of channels, by user.

    Raises:
        ControlError
    """
    for user, titles in fields.items():
        check_choice("a user", user, USERS)
        if not isinstance(titles, list) or not all(isinstance(title, str) for title in titles):
            raise ControlError(f"expected a list of titles of channels; found {quote(titles)}")
    return dict(fields)


def video_as_json(video: Video) -> dict[str, Any]:
    """The video with all its lines, for tests to compare with."""
    return {
        "id": video.id,
        "title": video.title,
        "description": video.description,
        "channel": video.channel.title,
        "channel_id": video.channel.id,
        "published_at": video.published_at,
        "duration": video.duration,
        "status": video.status,
        "views": video.views,
        "language": video.language,
        "tracks": [
            {
                "language": track.language,
                "name": track.name,
                "kind": "generated" if track.generated else "human",
                "fault": track.fault,
                "lines": track.lines(),
            }
            for track in video.tracks
        ],
    }
