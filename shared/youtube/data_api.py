"""The YouTube Data API v3: what is in a playlist, and what is known about its videos.

https://developers.google.com/youtube/v3/docs. playlists.list, playlistItems.list and videos.list cost one
unit of quota each, for up to 50 items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import httplib2
from google.auth.exceptions import GoogleAuthError
from googleapiclient.discovery import build
from googleapiclient.errors import Error, HttpError
from httplib2.decode import DecodeLimitError, DecodeRatioError

from shared import clock
from shared.config import Config, ConfigError
from shared.errors import JobFailed, NotVisible, Transient
from shared.messages import is_id
from shared.transcripts.videos import Metadata
from shared.youtube.addresses import WATCH_LATER, is_refused
from shared.youtube.data_api_errors import NOT_VISIBLE, translate
from shared.youtube.prefetch import prefetch
from shared.youtube.resources import (
    PAGE,
    Channel,
    FirstPage,
    Item,
    Kind,
    PlaylistInfo,
    channel_from,
    item_from,
    items_of,
    kind_of,
    metadata_of,
    playlist_info,
    subscribed_to,
)

#: Seconds that one call may take.
TIMEOUT = 15.0
_LIKED = "LL"
_PLAYLIST_PARTS = "snippet,contentDetails,status"
_CHANNEL_PARTS = "snippet,statistics"
#: Assumed of the Liked videos where YouTube lists them but does not describe them.
_LIKED_TITLE, _LIKED_COUNT = "Liked videos", 5000
#: Pages of a user's own playlists that are listed, 50 playlists each.
_MAXIMUM_PAGES = 20


class _Unchanged(Exception):
    """YouTube has the same answer as before (status 304)."""


class DataApi:
    """The Data API, with our key, or in the name of a user with an access token.

    Thread-safe; one object a process. All methods raise:

    - NotVisible: the playlist is unknown, or private and somebody else's.
    - GrantExpired: Google does not accept the access token any more.
    - JobFailed: YouTube does not list the playlist, or refuses our key.
    - Deferred: the daily quota is used up, or there were too many requests in a minute.
    - Transient: YouTube does not answer.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        #: Idle clients. A client's httplib2 transport is not thread-safe, so each call borrows one.
        self._idle: dict[bool, list[Any]] = {True: [], False: []}

    def playlist(self, playlist_id: str, access_token: str | None = None) -> PlaylistInfo:
        """A playlist as everybody sees it, or as the user sees it whose access token this is."""
        if is_refused(playlist_id):
            raise JobFailed(WATCH_LATER)
        answer = self._call(
            lambda api: api.playlists().list(part=_PLAYLIST_PARTS, id=playlist_id, maxResults=1), access_token
        )
        found = items_of(answer)
        if found:
            return playlist_info(found[0])
        if access_token is not None and playlist_id.startswith(_LIKED):
            return PlaylistInfo(_LIKED_TITLE, None, _LIKED_COUNT, "private")
        raise NotVisible(NOT_VISIBLE)

    def own_playlists(self, access_token: str) -> list[tuple[str, PlaylistInfo]]:
        """The ids and descriptions of a user's own playlists, the Liked videos first."""
        answer = self._call(
            lambda api: api.channels().list(part="contentDetails", mine=True, maxResults=1), access_token
        )
        found: list[tuple[str, PlaylistInfo]] = []
        for channel in items_of(answer):
            likes = ((channel.get("contentDetails") or {}).get("relatedPlaylists") or {}).get("likes")
            if isinstance(likes, str) and is_id(likes):
                found.append((likes, self.playlist(likes, access_token)))
        listed = self._answers(
            lambda page_token: (
                lambda api: api.playlists().list(
                    part=_PLAYLIST_PARTS, mine=True, maxResults=PAGE, pageToken=page_token
                )
            ),
            access_token,
        )
        for items in map(items_of, islice(listed, _MAXIMUM_PAGES)):
            found += [(str(item["id"]), playlist_info(item)) for item in items if is_id(item.get("id"))]
        return found

    def first_page(
        self, playlist_id: str, access_token: str | None = None, *, etag: str | None = None
    ) -> FirstPage | None:
        """The first 50 items of a playlist. None when they are those of the answer with that etag."""
        try:
            answer = self._call(_items_request(playlist_id), access_token, etag=etag)
        except _Unchanged:
            return None
        return FirstPage(str(answer.get("etag", "")), tuple(_items(answer)), answer.get("nextPageToken"))

    def pages(
        self,
        playlist_id: str,
        access_token: str | None = None,
        *,
        first: FirstPage | None = None,
        ahead: bool = True,
    ) -> Iterator[Sequence[Item]]:
        """The items of a playlist in its order, up to 50 at a time.

        ``first``: the first page, if it is known. ``ahead``: the next page is requested while the caller
        works on the current one.
        """

        def listed() -> Iterator[Sequence[Item]]:
            page = first or self.first_page(playlist_id, access_token)
            assert page is not None, "only an etag makes it so"
            yield page.items
            if page.next_token:
                request = partial(_items_request, playlist_id)
                yield from map(_items, self._answers(request, access_token, page.next_token))

        yield from prefetch(listed(), "listing") if ahead else listed()

    def videos(self, video_ids: Sequence[str]) -> list[Metadata]:
        """The metadata of up to 50 videos as everybody sees them. Private and deleted ones are missing.

        Never asked in the name of a user, because the answer is stored for everybody.
        """
        if not video_ids:
            return []
        answer = self._call(
            lambda api: api.videos().list(
                part="snippet,contentDetails,statistics", id=",".join(video_ids), maxResults=PAGE
            )
        )
        now = clock.now()
        return [metadata_of(found, now) for found in items_of(answer) if isinstance(found.get("id"), str)]

    def kinds(self, video_ids: Sequence[str]) -> dict[str, Kind]:
        """What up to 50 videos are: a Short, a broadcast, or a usual video. What is hidden is missing.

        Premieres cannot be told from broadcasts.
        """
        if not video_ids:
            return {}
        answer = self._call(
            lambda api: api.videos().list(
                part="contentDetails,liveStreamingDetails", id=",".join(video_ids), maxResults=PAGE
            )
        )
        return {str(found.get("id")): kind_of(found) for found in items_of(answer)}

    def channels(self, ids: Sequence[str]) -> dict[str, Channel]:
        """Up to 50 channels by id. Unknown ones are missing."""
        answer = self._call(
            lambda api: api.channels().list(part=_CHANNEL_PARTS, id=",".join(ids), maxResults=PAGE)
        )
        found = map(channel_from, items_of(answer))
        return {channel.channel_id: channel for channel in found if channel is not None}

    def channel_named(self, *, handle: str | None = None, user: str | None = None) -> Channel | None:
        """The channel with this handle, or with this old name of a user. None if there is none."""
        name = {"forHandle": handle} if handle is not None else {"forUsername": user}
        answer = self._call(lambda api: api.channels().list(part=_CHANNEL_PARTS, maxResults=1, **name))
        return next((each for each in map(channel_from, items_of(answer)) if each is not None), None)

    def subscriptions(self, access_token: str) -> list[Channel]:
        """The channels that a user has subscribed to, by name. At most a thousand."""
        listed = self._answers(
            lambda page_token: (
                lambda api: api.subscriptions().list(
                    part="snippet", mine=True, maxResults=PAGE, order="alphabetical", pageToken=page_token
                )
            ),
            access_token,
        )
        found = [
            subscribed_to(item) for answer in islice(listed, _MAXIMUM_PAGES) for item in items_of(answer)
        ]
        return [channel for channel in found if channel is not None]

    def close(self) -> None:
        """Closes the idle clients."""
        for idle in self._idle.values():
            while idle:
                idle.pop().close()

    def _answers(
        self,
        request: Callable[[str | None], Callable[[Any], Any]],
        access_token: str | None,
        page_token: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """All answers from this page on."""
        seen = {page_token}
        while True:
            answer = self._call(request(page_token), access_token)
            yield answer
            page_token = answer.get("nextPageToken")
            if not page_token:
                return
            if page_token in seen:
                raise Transient("YouTube listed the same page twice.")
            seen.add(page_token)

    def _call(
        self, request: Callable[[Any], Any], access_token: str | None = None, *, etag: str | None = None
    ) -> dict[str, Any]:
        """Makes one call and translates its errors (https://developers.google.com/youtube/v3/docs/errors).

        ``etag``: of an earlier answer (https://developers.google.com/youtube/v3/getting-started#etags).
        Raises _Unchanged when the answer would be the same.
        """
        # The client comes first: a missing key is an error of the configuration, not of YouTube.
        with self._client(keyed=access_token is None) as client:
            try:
                call = request(client)
                if access_token is not None:
                    call.headers["authorization"] = f"Bearer {access_token}"
                if etag:
                    call.headers["if-none-match"] = etag
                answer = call.execute(num_retries=0)
            except HttpError as error:
                if etag and int(error.resp.status) == 304:
                    raise _Unchanged from error
                raise translate(error, of_user=access_token is not None) from error
            except (Error, GoogleAuthError, httplib2.HttpLib2Error, OSError, ValueError) as error:
                raise Transient("YouTube did not answer.", detail=f"Data API: {error!r:.300}") from error
            except (DecodeLimitError, DecodeRatioError) as error:
                raise Transient("YouTube sent an answer that is too large.") from error
        if not isinstance(answer, dict):
            raise Transient("YouTube sent an answer that cannot be read.")
        return answer

    @contextmanager
    def _client(self, *, keyed: bool) -> Iterator[Any]:
        """A client for one call. ``keyed``: with our API key.

        A request with an access token must not carry the key, because Google accepts both together only if
        they belong to one project.
        """
        idle = self._idle[keyed]
        try:
            client = idle.pop()
        except IndexError:
            client = self._connect(keyed=keyed)
        try:
            yield client
        finally:
            idle.append(client)

    def _connect(self, *, keyed: bool) -> Any:
        config = self._config
        if keyed and config.youtube_api_key is None:
            raise ConfigError("YOUTUBE_API_KEY: expected a key of the YouTube Data API, found nothing")
        return build(
            "youtube",
            "v3",
            http=httplib2.Http(timeout=TIMEOUT),
            developerKey=config.youtube_api_key if keyed else None,
            client_options=(
                {"api_endpoint": config.youtube_api_endpoint} if config.youtube_api_endpoint else {}
            ),
            cache_discovery=False,
        )


def _items_request(playlist_id: str, page_token: str | None = None) -> Callable[[Any], Any]:
    return lambda api: api.playlistItems().list(
        part="snippet,contentDetails,status", playlistId=playlist_id, maxResults=PAGE, pageToken=page_token
    )


def _items(answer: dict[str, Any]) -> list[Item]:
    return [item for item in map(item_from, items_of(answer)) if item is not None]
