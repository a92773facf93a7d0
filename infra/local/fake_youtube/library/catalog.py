"""Finds videos, playlists and channels by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.library.model import Channel, Playlist, Video, channel_named

#: The two users who can sign in, and their channels.
USERS = {"demo": channel_named("Demo Person"), "other": channel_named("Other Person")}
SAMPLE_PLAYLIST = "PLyts-sample-talks"
#: YouTube's name for the Liked videos of the user who asks.
LIKED_VIDEOS = "LL"


class Catalog:
    """What a test defines replaces a sample of the same id, and a sample replaces a generated video."""

    def __init__(self, samples: Iterable[Video] = ()) -> None:
        self._samples = {video.id: video for video in samples}
        self._own = {playlist.id: playlist for playlist in _own_playlists(tuple(self._samples))}
        self._videos: dict[str, Video] = {}
        self._playlists: dict[str, Playlist] = {}

    def reset(self) -> None:
        """Removes what tests defined."""
        self._videos.clear()
        self._playlists.clear()

    def define(self, videos: Iterable[Video], playlists: Iterable[Playlist]) -> None:
        self._videos.update((video.id, video) for video in videos)
        self._playlists.update((playlist.id, playlist) for playlist in playlists)

    def video(self, video_id: str) -> Video | None:
        return self._videos.get(video_id) or self._samples.get(video_id) or generate.video(video_id)

    def playlist(self, playlist_id: str, user: str | None = None) -> Playlist | None:
        """The playlist, whether or not the user may see it. `LL`: the user's own Liked videos."""
        if playlist_id == LIKED_VIDEOS:
            if user is None:
                return None
            playlist_id = _liked_by(user)
        return (
            self._playlists.get(playlist_id) or self._own.get(playlist_id) or generate.playlist(playlist_id)
        )

    def playlists(self) -> Mapping[str, Playlist]:
        """All playlists except the generated ones, which are without number."""
        return {**self._own, **self._playlists}

    def playlists_of(self, user: str) -> list[Playlist]:
        """The user's playlists as playlists.list answers `mine`: without the Liked videos."""
        return [
            playlist
            for playlist in self.playlists().values()
            if playlist.owner == user and playlist.id != _liked_by(user)
        ]

    def channel(self, channel_id: str) -> Channel | None:
        for channel in USERS.values():
            if channel.id == channel_id:
                return channel
        for video in (*self._samples.values(), *self._videos.values()):
            if video.channel.id == channel_id:
                return video.channel
        return None


def _liked_by(user: str) -> str:
    return f"{LIKED_VIDEOS}-{user}"


def _own_playlists(sample_ids: tuple[str, ...]) -> list[Playlist]:
    """The sample playlist, and the playlists in the account of each user."""
    playlists = [
        Playlist(
            SAMPLE_PLAYLIST,
            "Talks worth finding again",
            "A small library to search in.",
            USERS["demo"],
            "2024-03-01T08:00:00Z",
            sample_ids,
            owner="demo",
        )
    ]
    for number, (user, channel) in enumerate(USERS.items()):
        generated = tuple(generate.video_id(f"own-{user}", k, "short") for k in range(12))
        for name, title, privacy, ids in (
            ("evenings", "For quiet evenings", "private", sample_ids[number::3] + generated[:6]),
            ("shared", "Shared with friends", "unlisted", generated[4:9]),
            ("empty", "Nothing yet", "private", ()),
        ):
            playlists.append(
                Playlist(f"PL{user}-{name}", title, "", channel, "2024-05-01T12:00:00Z", ids, privacy, user)
            )
        playlists.append(
            Playlist(
                _liked_by(user),
                "Liked videos",
                "",
                channel,
                "2015-01-01T00:00:00Z",
                sample_ids[1 - number :: 2] + generated[8:],
                "private",
                user,
            )
        )
    return playlists
