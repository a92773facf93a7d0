"""The YouTube Data API v3: the methods `list` of playlists, playlistItems, videos, channels and
subscriptions.

Each call costs one unit of the quota (https://developers.google.com/youtube/v3/determine_quota_cost).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.fake_youtube import field_mask
from infra.local.fake_youtube.data_api import errors, resources
from infra.local.fake_youtube.data_api.call import Call
from infra.local.fake_youtube.data_api.paging import list_response, page
from infra.local.fake_youtube.endpoints import DATA_API_PREFIX
from infra.local.fake_youtube.library.catalog import LIKED_VIDEOS, USERS, Catalog
from infra.local.fake_youtube.library.model import PRIVATE, UNLISTED, Channel, Playlist, Video
from infra.local.fake_youtube.oauth.grants import Grants

#: Ids in a request.
_MAX_IDS = 50
_PARTS = {
    "playlists": {"contentDetails", "id", "localizations", "player", "snippet", "status"},
    "playlistItems": {"contentDetails", "id", "snippet", "status"},
    "videos": {
        "contentDetails", "id", "liveStreamingDetails", "localizations", "player", "recordingDetails",
        "snippet", "statistics", "status", "topicDetails",
    },
    "subscriptions": {"contentDetails", "id", "snippet", "subscriberSnippet"},
    "channels": {
        "brandingSettings", "contentDetails", "id", "localizations", "snippet", "statistics", "status",
        "topicDetails",
    },
}  # fmt: skip
_READ_SCOPES = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("youtube", "youtube.readonly", "youtube.force-ssl")
)


@dataclass(slots=True)
class Quota:
    """``used``: units since the start or the last reset. ``limit``: None for no limit. ``keys``: the valid
    API keys; None makes every key valid that does not begin with "invalid"."""

    used: int = 0
    limit: int | None = None
    keys: set[str] | None = None

    def accepts(self, key: str) -> bool:
        return not key.startswith("invalid") if self.keys is None else key in self.keys


class DataApi:
    def __init__(self, catalog: Catalog, grants: Grants) -> None:
        self._catalog, self._grants = catalog, grants
        self.quota = Quota()
        self._methods: dict[str, Callable[[Call, set[str]], dict[str, Any]]] = {
            "playlists": self._playlists,
            "playlistItems": self._playlist_items,
            "videos": self._videos,
            "channels": self._channels,
            "subscriptions": self._subscriptions,
        }

    def answer(
        self, path: str, query: Mapping[str, Sequence[str]], authorization: str, origin: str
    ) -> dict[str, Any]:
        """The JSON that answers a GET. `authorization`: the header, or an empty string.

        Raises:
            ApiError
        """
        resource = path.removeprefix(DATA_API_PREFIX)
        method = self._methods.get(resource)
        if method is None:
            raise errors.no_such_method(path)
        user = self._caller(query, authorization)
        if self.quota.limit is not None and self.quota.used >= self.quota.limit:
            raise errors.quota_exceeded()
        self.quota.used += 1
        call = Call(query, user, origin)
        parts = call.texts("part")
        if not parts:
            raise errors.missing_parameter("part")
        for part in parts:
            if part not in _PARTS[resource]:
                raise errors.unknown_part(part)
        answer = method(call, set(parts))
        answer["etag"] = resources.etag(json.dumps(answer))
        if fields := call.text("fields"):
            try:
                mask = field_mask.parse(fields)
            except ValueError as error:
                raise errors.invalid_fields(fields) from error
            selected: dict[str, Any] = field_mask.apply(mask, answer)
            return selected
        return answer

    def _caller(self, query: Mapping[str, Sequence[str]], authorization: str) -> str | None:
        """The user of a token, or None for an API key.

        Raises:
            ApiError: there is neither, or it is not valid.
        """
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            token = (query.get("access_token") or [""])[0]
        elif scheme.lower() != "bearer":
            raise errors.invalid_token()
        if token:
            holder = self._grants.holder(token.strip())
            if holder is None:
                raise errors.invalid_token()
            if not holder[1] & _READ_SCOPES:
                raise errors.insufficient_scope()
            return holder[0]
        key = (query.get("key") or [""])[0]
        if not key:
            raise errors.no_credentials()
        if not self.quota.accepts(key):
            raise errors.key_invalid()
        return None

    def _playlists(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids = call.texts("id")
        if sum((bool(ids), call.mine, bool(call.text("channelId")))) > 1:
            raise errors.incompatible_parameters("channelId, id, mine")
        if ids:
            if len(ids) > _MAX_IDS:
                raise errors.invalid_filter()
            known = (self._catalog.playlist(playlist_id, call.user) for playlist_id in ids)
            found = [item for item in known if item is not None and _may_see(item, call.user)]
        elif call.mine:
            if call.user is None:
                raise errors.mine_without_user()
            found = self._catalog.playlists_of(call.user)
        elif channel_id := call.text("channelId"):
            found = [
                item
                for item in self._catalog.playlists().values()
                if item.channel.id == channel_id and (item.privacy == "public" or item.owner == call.user)
            ]
        else:
            raise errors.no_filter("channelId, id, mine")
        return page("playlist", call, found, lambda _, item: resources.playlist(item, parts, call.origin))

    def _playlist_items(self, call: Call, parts: set[str]) -> dict[str, Any]:
        playlist_id = call.text("playlistId")
        if not playlist_id:
            raise errors.no_filter("id, playlistId")
        if playlist_id == "WL":
            raise errors.watch_later_forbidden()
        if playlist_id == "HL":
            raise errors.watch_history_forbidden()
        playlist = self._catalog.playlist(playlist_id, call.user)
        if playlist is None:
            raise errors.playlist_not_found()
        if not _may_see(playlist, call.user):
            raise errors.playlist_forbidden()

        def resource(position: int, video_id: str) -> dict[str, Any]:
            video = self._catalog.video(video_id)
            owned = video is not None and video.owner is not None and video.owner == call.user
            return resources.playlist_item(playlist, position, video, video_id, owned, parts, call.origin)

        ids: Sequence[str] = playlist.video_ids
        if wanted := call.text("videoId"):
            ids = [video_id for video_id in ids if video_id == wanted]
        return page("playlistItem", call, ids, resource, playlist.item_count)

    def _videos(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids = call.texts("id")
        if not ids:
            raise errors.no_filter("chart, id, myRating")
        if len(ids) > _MAX_IDS:
            raise errors.invalid_filter()
        known = (self._catalog.video(video_id) for video_id in dict.fromkeys(ids))
        found = [video for video in known if video is not None and _is_listed(video, call.user)]
        items = [resources.video(video, parts, call.origin) for video in found]
        return list_response("video", items, len(items), len(items))

    def _channels(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids, handle, user = call.texts("id"), call.text("forHandle"), call.text("forUsername")
        if sum(map(bool, (ids, handle, user, call.mine))) > 1:
            raise errors.incompatible_parameters("forHandle, forUsername, id, mine")
        if call.mine:
            if call.user is None:
                raise errors.mine_without_user()
            found = [USERS[call.user]]
        elif handle or user:
            named = self._catalog.channel_named(handle=handle, user=user)
            found = [named] if named else []
        elif ids:
            if len(ids) > _MAX_IDS:
                raise errors.invalid_filter()
            known = (self._catalog.channel(channel_id) for channel_id in dict.fromkeys(ids))
            found = [channel for channel in known if channel is not None]
        else:
            raise errors.no_filter("forHandle, forUsername, id, mine")
        own = USERS[call.user].id if call.user is not None else None

        def resource(_: int, channel: Channel) -> dict[str, Any]:
            likes = LIKED_VIDEOS if channel.id == own else None
            uploads = self._catalog.uploads(channel)
            count = len(uploads.video_ids) if uploads else 0
            return resources.channel(channel, parts, call.origin, likes, count)

        answer = page("channel", call, found, resource)
        if not found:
            # YouTube leaves the list out.
            del answer["items"]
        return answer

    def _subscriptions(self, call: Call, parts: set[str]) -> dict[str, Any]:
        if not call.mine:
            raise errors.no_filter("channelId, id, mine, myRecentSubscribers, mySubscribers")
        if call.user is None:
            raise errors.mine_without_user()
        own, found = USERS[call.user], self._catalog.subscriptions_of(call.user)
        if call.text("order") == "alphabetical":
            found.sort(key=lambda channel: channel.title.casefold())
        return page(
            "subscription", call, found, lambda _, item: resources.subscription(item, own, parts, call.origin)
        )


def _may_see(playlist: Playlist, user: str | None) -> bool:
    return playlist.privacy != PRIVATE or (user is not None and playlist.owner == user)


def _is_listed(video: Video, user: str | None) -> bool:
    if video.status == PRIVATE:
        return user is not None and video.owner == user
    return video.status not in UNLISTED
