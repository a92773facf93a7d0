"""Which videos and playlists there are: defined by tests, samples, the users' own, generated ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from infra.local.standin import generate
from infra.local.standin.model import Channel, Playlist, Video, channel_named

#: The two people who can sign in, and their channels.
USERS = {"demo": channel_named("Demo Person"), "other": channel_named("Other Person")}
SAMPLE_PLAYLIST = "PLyts-sample-talks"
_LIKES = "LL"


class Catalog:
    """Defined ones come before samples, those before generated ones."""

    def __init__(self, samples: Iterable[Video] = ()) -> None:
        self._samples = {video.id: video for video in samples}
        self._own = {made.id: made for made in _own_playlists(tuple(self._samples))}
        self._videos: dict[str, Video] = {}
        self._playlists: dict[str, Playlist] = {}

    def reset(self) -> None:
        """Forgets what tests defined."""
        self._videos.clear()
        self._playlists.clear()

    def define(self, videos: Iterable[Video], playlists: Iterable[Playlist]) -> None:
        self._videos.update((video.id, video) for video in videos)
        self._playlists.update((playlist.id, playlist) for playlist in playlists)

    def video(self, video_id: str) -> Video | None:
        return self._videos.get(video_id) or self._samples.get(video_id) or generate.video(video_id)

    def playlist(self, playlist_id: str, user: str | None = None) -> Playlist | None:
        """Whoever may see it. `LL` is the caller's own Liked videos."""
        if playlist_id == _LIKES:
            if user is None:
                return None
            playlist_id = likes_of(user)
        return (
            self._playlists.get(playlist_id) or self._own.get(playlist_id) or generate.playlist(playlist_id)
        )

    def playlists(self) -> Mapping[str, Playlist]:
        """All but the generated ones."""
        return {**self._own, **self._playlists}

    def playlists_of(self, user: str) -> list[Playlist]:
        """What playlists.list answers for `mine`: not the Liked videos."""
        return [p for p in self.playlists().values() if p.owner == user and p.id != likes_of(user)]

    def channel(self, channel_id: str) -> Channel | None:
        for known in USERS.values():
            if known.id == channel_id:
                return known
        for video in (*self._samples.values(), *self._videos.values()):
            if video.channel.id == channel_id:
                return video.channel
        return None


def likes_of(user: str) -> str:
    return f"LL-{user}"


def likes_id() -> str:
    """What channels.list calls the Liked videos of whoever asks."""
    return _LIKES


def _own_playlists(sample_ids: tuple[str, ...]) -> list[Playlist]:
    """The sample playlist, and what each user has in their account."""
    made = [
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
            made.append(
                Playlist(f"PL{user}-{name}", title, "", channel, "2024-05-01T12:00:00Z", ids, privacy, user)
            )
        made.append(
            Playlist(
                likes_of(user),
                "Liked videos",
                "",
                channel,
                "2015-01-01T00:00:00Z",
                sample_ids[1 - number :: 2] + generated[8:],
                "private",
                user,
            )
        )
    return made
