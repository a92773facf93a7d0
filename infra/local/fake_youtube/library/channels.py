"""Channels: what they have uploaded, and the playlists that YouTube keeps of it.

A channel has the playlist `UU…` of all its public videos, newest first. The prefixes UULF, UUSH and UULV are
those without Shorts and broadcasts, the Shorts, and the broadcasts. Where there is nothing to list, there is
no playlist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.library.model import UNLISTED, Channel, Playlist, Video

#: Seconds that a Short may take.
_LONGEST_SHORT = 180
_PLAYLIST = re.compile(r"(UULF|UUSH|UULV|UU)([A-Za-z0-9_-]{22})")
_GENERATED = re.compile(r"UC(gen-\d{1,6}-[A-Za-z0-9]{1,12}?(?:-(?:short|mixed))*)_*")
_LENGTH = 24


def is_short(video: Video) -> bool:
    return not video.streamed and video.duration <= _LONGEST_SHORT


_KINDS: dict[str, Callable[[Video], bool]] = {
    "UU": lambda video: True,
    "UULF": lambda video: not video.streamed and not is_short(video),
    "UUSH": is_short,
    "UULV": lambda video: video.streamed,
}


def normal(name: str) -> str:
    """A handle as YouTube compares it."""
    return name.removeprefix("@").casefold()


def handle_of(channel: Channel) -> str:
    """With an @."""
    return f"@{channel.handle or channel.title.lower().replace(' ', '')}"


@lru_cache(maxsize=64)
def generated(channel_id: str) -> Channel | None:
    """The channel with the videos of a generated playlist: `gen-300-a` is that of `PLgen-300-a`."""
    match = _GENERATED.fullmatch(channel_id)
    if match is None or len(channel_id) != _LENGTH or generate.playlist(f"PL{match[1]}") is None:
        return None
    return Channel(channel_id, f"Generated channel {match[1][4:]}", handle=match[1])


def generated_named(handle: str) -> Channel | None:
    return generated(f"UC{handle.removeprefix('@')}".ljust(_LENGTH, "_"))


def channel_of(playlist_id: str) -> str | None:
    """The id of the channel whose playlist this is."""
    match = _PLAYLIST.fullmatch(playlist_id)
    return f"UC{match[2]}" if match else None


def playlist(playlist_id: str, channel: Channel, videos: Iterable[Video]) -> Playlist | None:
    """A playlist of a channel with these videos. None if YouTube has none."""
    match = _PLAYLIST.fullmatch(playlist_id)
    assert match is not None, "channel_of() knows it"
    prefix = match[1]
    if prefix != "UU" and not channel.has_prefixes:
        return None
    shown = [video for video in videos if video.status not in UNLISTED and _KINDS[prefix](video)]
    if prefix != "UU" and not shown:
        return None
    shown.sort(key=lambda video: video.published_at, reverse=True)
    return Playlist(
        playlist_id,
        f"Uploads from {channel.title}",
        "",
        channel,
        "2012-05-04T09:30:00Z",
        tuple(video.id for video in shown),
        added={video.id: video.published_at for video in shown},
    )


@lru_cache(maxsize=8)
def uploads_of_generated(channel: Channel) -> tuple[Video, ...]:
    found = generate.playlist(f"PL{channel.handle}")
    ids = found.video_ids if found else ()
    return tuple(video for video in map(generate.video, ids) if video is not None)
