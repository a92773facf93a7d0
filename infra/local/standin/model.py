"""What a YouTube consists of, as far as it is stood in for: channels, videos, tracks, playlists."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

#: Video states: what the player says about each stands in :mod:`.playability`.
OK = "ok"
NO_CAPTIONS = "nocaptions"
PRIVATE = "private"
DELETED = "deleted"
#: Left out by videos.list and shown in playlists under a placeholder's name.
HIDDEN = frozenset({PRIVATE, DELETED})


class Line(NamedTuple):
    """One caption line: seconds from the beginning of the video, seconds shown, text."""

    start: float
    duration: float
    text: str


@dataclass(frozen=True, slots=True)
class Channel:
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Track:
    """A caption track. Its lines are made when they are asked for."""

    language: str
    name: str
    generated: bool
    lines: Callable[[], tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class Video:
    """``published_at``: RFC 3339 UTC. ``duration``: seconds. ``owner``: who may see it if private."""

    id: str
    title: str
    description: str
    channel: Channel
    published_at: str
    duration: int
    tracks: tuple[Track, ...]
    status: str = OK
    reason: str | None = None
    views: int = 1000
    language: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Playlist:
    """``video_ids``: in order, repetitions included. ``extra``: what itemCount counts beyond them."""

    id: str
    title: str
    description: str
    channel: Channel
    published_at: str
    video_ids: tuple[str, ...]
    privacy: str = "public"
    owner: str | None = None
    extra: int = 0
    #: Videos that are private or deleted in this playlist only, whatever they are elsewhere.
    hidden: dict[str, str] = field(default_factory=dict)

    @property
    def item_count(self) -> int:
        return len(self.video_ids) + self.extra


def channel_named(title: str) -> Channel:
    """The channel of that name; its id is derived from the name."""
    digest = hashlib.sha256(f"channel/{title}".encode()).digest()
    return Channel("UC" + urlsafe_b64encode(digest[:16]).decode().rstrip("="), title)


#: English names of languages, as the player gives them to a client that asks for `en-US`.
LANGUAGE_NAMES = {
    "ar": "Arabic", "bn": "Bangla", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek",
    "en": "English", "en-GB": "English (United Kingdom)", "en-US": "English (United States)",
    "es": "Spanish", "es-419": "Spanish (Latin America)", "fa": "Persian", "fi": "Finnish",
    "fil": "Filipino", "fr": "French", "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian",
    "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "pt-BR": "Portuguese (Brazil)",
    "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil",
    "th": "Thai", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese", "zh-Hans": "Chinese (Simplified)", "zh-Hant": "Chinese (Traditional)",
}  # fmt: skip


def track_name(language: str, generated: bool) -> str:
    """``German``, ``German (auto-generated)``; an unknown code stands for itself."""
    name = LANGUAGE_NAMES.get(language, language)
    return f"{name} (auto-generated)" if generated else name
