"""YouTube Data API v3: playlists, playlistItems, videos and channels, their `list` methods.

Each call costs one unit of quota (https://developers.google.com/youtube/v3/determine_quota_cost).
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from infra.local.standin import api_errors, fieldmask, resources
from infra.local.standin.catalog import USERS, Catalog, likes_id
from infra.local.standin.model import DELETED, HIDDEN, PRIVATE, Playlist, Video

_T = TypeVar("_T")

PREFIX = "/youtube/v3/"
_MOST_IDS = 50
_PARTS = {
    "playlists": {"contentDetails", "id", "localizations", "player", "snippet", "status"},
    "playlistItems": {"contentDetails", "id", "snippet", "status"},
    "videos": {
        "contentDetails", "id", "liveStreamingDetails", "localizations", "player", "recordingDetails",
        "snippet", "statistics", "status", "topicDetails",
    },
    "channels": {
        "brandingSettings", "contentDetails", "id", "localizations", "snippet", "statistics", "status",
        "topicDetails",
    },
}  # fmt: skip
READ_SCOPES = frozenset(
    f"https://www.googleapis.com/auth/{name}" for name in ("youtube", "youtube.readonly", "youtube.force-ssl")
)


class Tokens(Protocol):
    """Who an OAuth access token belongs to."""

    def holder(self, token: str) -> tuple[str, frozenset[str]] | None:
        """(user, scopes), or None if the token is not valid."""


@dataclass(slots=True)
class Quota:
    """Units used since the start or the last reset; `limit`: None for as many as one likes."""

    used: int = 0
    limit: int | None = None
    #: The only keys that are valid; None for all but those that begin with `invalid`.
    keys: set[str] | None = field(default=None)

    def valid(self, key: str) -> bool:
        return not key.startswith("invalid") if self.keys is None else key in self.keys


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the methods need it. `origin`: where thumbnails are, no slash at the end."""

    query: Mapping[str, Sequence[str]]
    user: str | None
    origin: str

    def text(self, name: str) -> str:
        values = self.query.get(name)
        return values[0] if values else ""

    def texts(self, name: str) -> list[str]:
        """Repeated, comma separated, or both."""
        return [each for value in self.query.get(name, ()) for each in value.split(",") if each]

    @property
    def mine(self) -> bool:
        return self.text("mine").lower() == "true"


class DataApi:
    def __init__(self, catalog: Catalog, tokens: Tokens) -> None:
        self._catalog, self._tokens = catalog, tokens
        self.quota = Quota()
        self._methods: dict[str, Callable[[Call, set[str]], dict[str, Any]]] = {
            "playlists": self._playlists,
            "playlistItems": self._playlist_items,
            "videos": self._videos,
            "channels": self._channels,
        }

    def answer(
        self, path: str, query: Mapping[str, Sequence[str]], authorization: str, origin: str
    ) -> dict[str, Any]:
        """The JSON of a GET.

        Raises:
            ApiError
        """
        resource = path.removeprefix(PREFIX)
        method = self._methods.get(resource)
        if method is None:
            raise api_errors.no_such_method(path)
        user = self._caller(query, authorization)
        if self.quota.limit is not None and self.quota.used >= self.quota.limit:
            raise api_errors.quota_exceeded()
        self.quota.used += 1
        call = Call(query, user, origin)
        parts = call.texts("part")
        if not parts:
            raise api_errors.missing_parameter("part")
        for part in parts:
            if part not in _PARTS[resource]:
                raise api_errors.unknown_part(part)
        answer = method(call, set(parts))
        if fields := call.text("fields"):
            try:
                mask = fieldmask.parse(fields)
            except ValueError as error:
                raise api_errors.invalid_fields(fields) from error
            narrowed: dict[str, Any] = fieldmask.apply(mask, answer)
            return narrowed
        return answer

    def _caller(self, query: Mapping[str, Sequence[str]], authorization: str) -> str | None:
        scheme, _, token = authorization.partition(" ")
        if not authorization:
            token = (query.get("access_token") or [""])[0]
        elif scheme.lower() != "bearer":
            raise api_errors.invalid_token()
        if token:
            holder = self._tokens.holder(token.strip())
            if holder is None:
                raise api_errors.invalid_token()
            if not holder[1] & READ_SCOPES:
                raise api_errors.insufficient_scope()
            return holder[0]
        key = (query.get("key") or [""])[0]
        if not key:
            raise api_errors.no_credentials()
        if not self.quota.valid(key):
            raise api_errors.key_invalid()
        return None

    def _playlists(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids = call.texts("id")
        if sum((bool(ids), call.mine, bool(call.text("channelId")))) > 1:
            raise api_errors.incompatible("channelId, id, mine")
        if ids:
            if len(ids) > _MOST_IDS:
                raise api_errors.invalid_filter()
            known = (self._catalog.playlist(each, call.user) for each in ids)
            found = [each for each in known if each is not None and _may_see(each, call.user)]
        elif call.mine:
            if call.user is None:
                raise api_errors.unauthorised_mine()
            found = self._catalog.playlists_of(call.user)
        elif channel_id := call.text("channelId"):
            found = [
                each
                for each in self._catalog.playlists().values()
                if each.channel.id == channel_id and (each.privacy == "public" or each.owner == call.user)
            ]
        else:
            raise api_errors.no_filter("channelId, id, mine")
        return _page("playlist", call, found, lambda _, each: resources.playlist(each, parts, call.origin))

    def _playlist_items(self, call: Call, parts: set[str]) -> dict[str, Any]:
        playlist_id = call.text("playlistId")
        if not playlist_id:
            raise api_errors.no_filter("id, playlistId")
        if playlist_id == "WL":
            raise api_errors.watch_later_forbidden()
        if playlist_id == "HL":
            raise api_errors.watch_history_forbidden()
        playlist = self._catalog.playlist(playlist_id, call.user)
        if playlist is None:
            raise api_errors.playlist_not_found()
        if not _may_see(playlist, call.user):
            raise api_errors.playlist_forbidden()

        def item(position: int, video_id: str) -> dict[str, Any]:
            video = self._catalog.video(video_id)
            visible = video is not None and video.owner is not None and video.owner == call.user
            return resources.playlist_item(playlist, position, video, video_id, visible, parts, call.origin)

        ids: Sequence[str] = playlist.video_ids
        if wanted := call.text("videoId"):
            ids = [each for each in ids if each == wanted]
        return _page("playlistItem", call, ids, item, playlist.item_count)

    def _videos(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids = call.texts("id")
        if not ids:
            raise api_errors.no_filter("chart, id, myRating")
        if len(ids) > _MOST_IDS:
            raise api_errors.invalid_filter()
        known = (self._catalog.video(each) for each in dict.fromkeys(ids))
        found = [each for each in known if each is not None and _is_listed(each, call.user)]
        items = [resources.video(each, parts, call.origin) for each in found]
        return _answer("video", items, len(items), len(items))

    def _channels(self, call: Call, parts: set[str]) -> dict[str, Any]:
        ids = call.texts("id")
        if call.mine:
            if call.user is None:
                raise api_errors.unauthorised_mine()
            found = [USERS[call.user]]
        elif ids:
            known = (self._catalog.channel(each) for each in dict.fromkeys(ids))
            found = [each for each in known if each is not None]
        else:
            raise api_errors.no_filter("id, mine")
        own = USERS[call.user].id if call.user is not None else None
        return _page(
            "channel",
            call,
            found,
            lambda _, each: resources.channel(
                each, parts, call.origin, likes_id() if each.id == own else None
            ),
        )


def _may_see(playlist: Playlist, user: str | None) -> bool:
    return playlist.privacy != PRIVATE or (user is not None and playlist.owner == user)


def _is_listed(video: Video, user: str | None) -> bool:
    if video.status == PRIVATE:
        return user is not None and video.owner == user
    return video.status not in HIDDEN and video.status != DELETED


def _page(
    kind: str,
    call: Call,
    found: Sequence[_T],
    resource: Callable[[int, _T], dict[str, Any]],
    total: int | None = None,
) -> dict[str, Any]:
    size = call.text("maxResults") or "5"
    if not re.fullmatch(r"\d{1,6}", size) or int(size) > _MOST_IDS:
        raise api_errors.invalid_maximum(size)
    count = int(size)
    start = _offset(call.text("pageToken"))
    if start > len(found):
        raise api_errors.invalid_page_token()
    items = [resource(start + k, each) for k, each in enumerate(found[start : start + count])]
    answer = _answer(kind, items, len(found) if total is None else total, count)
    if count and start + count < len(found):
        answer["nextPageToken"] = _token(start + count)
    if start:
        answer["prevPageToken"] = _token(max(0, start - count))
    return answer


def _token(offset: int) -> str:
    """Opaque, as YouTube's are, and without a meaning a client could compute with."""
    return (
        urlsafe_b64encode(f"\x08\x00PT:{offset:x}:{offset * 7919 % 65_521:x}".encode()).decode().rstrip("=")
    )


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        match = re.fullmatch(
            rb"\x08\x00PT:([0-9a-f]{1,8}):[0-9a-f]+", urlsafe_b64decode(token + "=" * (-len(token) % 4))
        )
    except (binascii.Error, ValueError) as error:
        raise api_errors.invalid_page_token() from error
    if match is None or _token(int(match[1], 16)) != token:
        raise api_errors.invalid_page_token()
    return int(match[1], 16)


def _answer(kind: str, items: list[dict[str, Any]], total: int, per_page: int) -> dict[str, Any]:
    return {
        "kind": f"youtube#{kind}ListResponse",
        "etag": resources.etag(f"{kind}{[item['id'] for item in items]}"),
        "items": items,
        "pageInfo": {"totalResults": total, "resultsPerPage": per_page},
    }
