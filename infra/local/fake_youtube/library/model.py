"""The data model: channels, videos, caption tracks and playlists."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

#: Statuses of videos. :mod:`.playability` has the others, and what the player says about each.
OK = "ok"
NO_CAPTIONS = "nocaptions"
PRIVATE = "private"
DELETED = "deleted"
#: Being broadcast: it plays, and has no captions yet.
LIVE = "live"
#: The video is gone, and no playlist knows it yet.
UNAVAILABLE = "unavailable"
#: Playlists show a placeholder for these videos.
HIDDEN = frozenset({PRIVATE, DELETED})
#: videos.list leaves these videos out.
UNLISTED = HIDDEN | {UNAVAILABLE}
#: How a track is not sent: its address demands a token; no bytes; half of the bytes; status 404.
TRACK_FAULTS = ("po_token", "empty", "broken", "missing")


class Line(NamedTuple):
    """A caption line. ``start``, ``duration``: seconds; the start counts from the beginning of the video."""

    start: float
    duration: float
    text: str


@dataclass(frozen=True, slots=True)
class Channel:
    """``handle``: without @; empty for one made from the title. ``user``: an old name in addresses.

    ``has_prefixes``: YouTube keeps playlists of its Shorts, broadcasts and other videos.
    """

    id: str
    title: str
    handle: str = ""
    user: str = ""
    has_prefixes: bool = True


@dataclass(frozen=True, slots=True)
class Track:
    """A caption track. ``lines`` makes the lines at each call. ``generated``: by speech recognition.

    ``fault``: one of TRACK_FAULTS, or empty.
    """

    language: str
    name: str
    generated: bool
    lines: Callable[[], tuple[Line, ...]]
    fault: str = ""

    @property
    def own_name(self) -> str:
        """The name that tells it from other tracks of its language and kind. Empty for the usual name."""
        return "" if self.name == track_name(self.language, self.generated) else self.name


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An original or dubbed voice. ``captions``: places of its caption tracks; ``default``: one of them."""

    id: str
    captions: tuple[int, ...]
    default: int | None = None


@dataclass(frozen=True, slots=True)
class Video:
    """``published_at``, ``starts_at``: RFC 3339 UTC; ``starts_at``: when it begins, as the player says.
    ``duration``: seconds. ``owner``: the user who may see it if it is private. ``reason``, ``subreason``,
    ``playability``: replace the usual sentences why it does not play, and the usual status of the player.
    ``language``: of the audio, as the uploader says. ``streamed``: a broadcast that is over.
    ``audio_tracks``: empty for one voice without default captions."""

    id: str
    title: str
    description: str
    channel: Channel
    published_at: str
    duration: int
    tracks: tuple[Track, ...]
    status: str = OK
    reason: str | None = None
    subreason: str | None = None
    playability: str | None = None
    starts_at: str | None = None
    audio_tracks: tuple[AudioTrack, ...] = ()
    default_audio_track: int = 0
    views: int = 1000
    language: str | None = None
    owner: str | None = None
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Playlist:
    """``video_ids``: in order, with repetitions. ``extra``: itemCount is higher than the number of items
    by this. ``hidden``: statuses of videos that are private or deleted in this playlist only. ``added``: when
    videos were added, if not with the playlist."""

    id: str
    title: str
    description: str
    channel: Channel
    published_at: str
    video_ids: tuple[str, ...]
    privacy: str = "public"
    owner: str | None = None
    extra: int = 0
    hidden: dict[str, str] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)

    @property
    def item_count(self) -> int:
        return len(self.video_ids) + self.extra


def channel_named(title: str) -> Channel:
    """The channel with this title. Its id is a hash of the title."""
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
    """``German``, ``German (auto-generated)``; an unknown language code is its own name."""
    name = LANGUAGE_NAMES.get(language, language)
    return f"{name} (auto-generated)" if generated else name
