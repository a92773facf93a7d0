"""Videos and playlists as tests define them in JSON. Text is taken as it is: hostile, too.

A video may extend one that exists already (generated, a sample, or defined before): what is not
given stays as it was. So captions appear later by defining the video again with tracks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from infra.local.standin.catalog import USERS
from infra.local.standin.faults import ControlError, check_fields
from infra.local.standin.model import (
    HIDDEN,
    NO_CAPTIONS,
    OK,
    Line,
    Playlist,
    Track,
    Video,
    channel_named,
    track_name,
)
from infra.local.standin.playability import UNPLAYABLE

_STATUSES = sorted({OK, NO_CAPTIONS, *UNPLAYABLE})
_PRIVACIES = ("public", "unlisted", "private")
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_PLAYLIST_ID = re.compile(r"[A-Za-z0-9_-]{2,64}")
_VIDEO_FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str, "title": str, "description": str, "channel": str, "published_at": str, "duration": int,
    "status": str, "reason": str, "views": int, "language": str, "owner": str, "tracks": list,
}  # fmt: skip
_TRACK_FIELDS: dict[str, type | tuple[type, ...]] = {
    "language": str, "name": str, "kind": str, "lines": list,
}  # fmt: skip
_PLAYLIST_FIELDS: dict[str, type | tuple[type, ...]] = {
    "id": str, "title": str, "description": str, "channel": str, "published_at": str, "privacy": str,
    "owner": str, "extra": int, "videos": list,
}  # fmt: skip


def _one_of(name: str, value: str, allowed: tuple[str, ...] | list[str]) -> str:
    if value not in allowed:
        raise ControlError(f"expected {name!r} to be one of {list(allowed)}, found {value!r}")
    return value


def _id(fields: Mapping[str, Any], pattern: re.Pattern[str]) -> str:
    value = fields.get("id")
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ControlError(f"expected 'id' to match {pattern.pattern}, found {value!r}")
    return value


def video(fields: Mapping[str, Any], known: Callable[[str], Video | None]) -> Video:
    """`known`: finds the video to extend. Lines are ``[start, duration, text]``, in seconds.

    Raises:
        ControlError
    """
    check_fields(fields, _VIDEO_FIELDS)
    identifier = _id(fields, _VIDEO_ID)
    base = known(identifier) or Video(
        identifier, f"Video {identifier}", "", channel_named("Tests"), "2024-01-01T00:00:00Z", 600, ()
    )
    changes = dict(fields)
    if "channel" in fields:
        changes["channel"] = channel_named(fields["channel"])
    if "tracks" in fields:
        changes["tracks"] = tuple(map(_track, fields["tracks"]))
        changes.setdefault("status", OK)
        last = [line for each in changes["tracks"] for line in each.lines()[-1:]]
        if last and "duration" not in fields:
            changes["duration"] = int(max(line.start + line.duration for line in last)) + 1
    if "status" in changes:
        _one_of("status", changes["status"], _STATUSES)
    if "owner" in fields:
        _one_of("owner", fields["owner"], list(USERS))
    return replace(base, **changes)


def _track(fields: Any) -> Track:
    if not isinstance(fields, dict):
        raise ControlError(f"expected a track to be an object, found {fields!r:.80}")
    check_fields(fields, _TRACK_FIELDS)
    language, kind = fields.get("language", "en"), fields.get("kind", "human")
    generated = _one_of("kind", kind, ("human", "generated")) == "generated"
    lines = tuple(map(_line, fields.get("lines", [])))
    name = fields.get("name") or track_name(language, generated)
    return Track(language, name, generated, partial(tuple[Line, ...], lines))


def _line(fields: Any) -> Line:
    match fields:
        case [int() | float() as start, int() | float() as duration, str() as text]:
            return Line(float(start), float(duration), text)
    raise ControlError(f"expected a line to be [start, duration, text], found {fields!r:.80}")


def playlist(fields: Mapping[str, Any]) -> Playlist:
    """``videos``: ids, or ``{"id": …, "status": "private" or "deleted"}`` for one hidden here only.

    Raises:
        ControlError
    """
    check_fields(fields, _PLAYLIST_FIELDS)
    identifier = _id(fields, _PLAYLIST_ID)
    ids: list[str] = []
    hidden: dict[str, str] = {}
    for each in fields.get("videos", []):
        item = {"id": each} if isinstance(each, str) else each
        if not isinstance(item, dict):
            raise ControlError(f"expected a video id or an object, found {each!r:.80}")
        ids.append(_id(item, _VIDEO_ID))
        if "status" in item:
            hidden[ids[-1]] = _one_of("status", item["status"], sorted(HIDDEN))
    owner = fields.get("owner")
    if owner is not None:
        _one_of("owner", owner, list(USERS))
    channel = USERS[owner] if owner is not None else channel_named(fields.get("channel", "Tests"))
    return Playlist(
        id=identifier,
        title=fields.get("title", f"Playlist {identifier}"),
        description=fields.get("description", ""),
        channel=channel,
        published_at=fields.get("published_at", "2024-01-01T00:00:00Z"),
        video_ids=tuple(ids),
        privacy=_one_of("privacy", fields.get("privacy", "public"), _PRIVACIES),
        owner=owner,
        extra=fields.get("extra", 0),
        hidden=hidden,
    )


def video_as_json(value: Video) -> dict[str, Any]:
    """The inverse of :func:`video`, lines included: what a test compares with."""
    return {
        "id": value.id,
        "title": value.title,
        "description": value.description,
        "channel": value.channel.title,
        "channel_id": value.channel.id,
        "published_at": value.published_at,
        "duration": value.duration,
        "status": value.status,
        "views": value.views,
        "language": value.language,
        "tracks": [
            {
                "language": track.language,
                "name": track.name,
                "kind": "generated" if track.generated else "human",
                "lines": track.lines(),
            }
            for track in value.tracks
        ],
    }
