"""Finds videos, playlists and channels by id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.local.fake_youtube.library import channels, generate
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
        self._channels: dict[str, Channel] = {}
        self._subscriptions: dict[str, list[str]] = {}

    def reset(self) -> None:
        """Removes what tests defined."""
        self._videos.clear()
        self._playlists.clear()
        self._channels.clear()
        self._subscriptions.clear()

    def define(
        self,
        videos: Iterable[Video],
        playlists: Iterable[Playlist],
        channels: Iterable[Channel] = (),
        subscriptions: Mapping[str, list[str]] | None = None,
    ) -> None:
        """``subscriptions``: the titles of channels, by user."""
        self._channels.update((channel.id, channel) for channel in channels)
        self._subscriptions.update(subscriptions or {})
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
            self._playlists.get(playlist_id)
            or self._own.get(playlist_id)
            or generate.playlist(playlist_id)
            or self._of_channel(playlist_id)
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
        return self._known_channels().get(channel_id) or channels.generated(channel_id)

    def channel_named(self, *, handle: str = "", user: str = "") -> Channel | None:
        """The channel with this handle, or with this old name in addresses."""
        if handle and (generated := channels.generated_named(handle)) is not None:
            return generated
        for channel in self._known_channels().values():
            if handle and channels.normal(channels.handle_of(channel)) == channels.normal(handle):
                return channel
            if user and channel.user.casefold() == user.casefold():
                return channel
        return None

    def uploads(self, channel: Channel) -> Playlist | None:
        return self._of_channel(f"UU{channel.id[2:]}")

    def subscriptions_of(self, user: str) -> list[Channel]:
        """The channels that a user has subscribed to: those of the samples unless a test says otherwise."""
        known = self._known_channels()
        titles = self._subscriptions.get(user)
        if titles is None:
            found = dict.fromkeys(video.channel.id for video in self._samples.values())
            return [known[channel_id] for channel_id in found]
        return [known.get(channel_named(title).id) or channel_named(title) for title in titles]

    def _known_channels(self) -> dict[str, Channel]:
        found = {channel.id: channel for channel in USERS.values()}
        for video in (*self._samples.values(), *self._videos.values()):
            found.setdefault(video.channel.id, video.channel)
        return found | self._channels

    def _of_channel(self, playlist_id: str) -> Playlist | None:
        channel_id = channels.channel_of(playlist_id)
        channel = self.channel(channel_id) if channel_id else None
        if channel is None:
            return None
        if channels.generated(channel.id):
            return channels.playlist(playlist_id, channel, channels.uploads_of_generated(channel))
        known = {**self._samples, **self._videos}.values()
        return channels.playlist(
            playlist_id, channel, [video for video in known if video.channel.id == channel.id]
        )


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
