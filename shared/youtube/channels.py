"""The videos of a channel: all uploads, or what a person chose of them.

YouTube keeps playlists of a channel's videos without Shorts and broadcasts, of its Shorts, and of its
broadcasts. They have the id of the uploads with other prefixes, are documented nowhere, and some channels
lack them. Without them the uploads are sorted by what videos.list says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from heapq import merge
from itertools import chain, islice
from typing import Any

from shared.errors import BadRequest, NotVisible
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE, Item

_VIDEOS, _SHORTS, _LIVE = "UULF", "UUSH", "UULV"
#: Uploads are listed newest first, but for a few. After so many older ones there is nothing new.
_TOLERATED = 10
_MOST = 1_000_000
_NAMES = ("shorts", "live", "newest", "since")


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a channel is wanted. ``newest``: so many videos; ``since``: published on that day or later."""

    shorts: bool = True
    live: bool = True
    newest: int | None = None
    since: str | None = None

    @property
    def everything(self) -> bool:
        return self == Choice()

    @property
    def ends_early(self) -> bool:
        return self.newest is not None or self.since is not None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def choice_from(value: object) -> Choice:
    """The choice in a request's body. Missing fields choose everything.

    Raises:
        BadRequest: says which field is wrong.
    """
    if not isinstance(value, Mapping):
        raise BadRequest("channel: expected an object with shorts, live, newest and since.")
    if unknown := value.keys() - set(_NAMES):
        raise BadRequest(f"channel: expected shorts, live, newest and since, found {min(unknown)[:40]!r}.")
    flags = {name: value.get(name, True) for name in ("shorts", "live")}
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise BadRequest(f"{name}: expected true or false.")
    newest, since = value.get("newest"), value.get("since")
    if newest is not None and (type(newest) is not int or not 1 <= newest <= _MOST):
        raise BadRequest(f"newest: expected a number from 1 to {_MOST:,}, or null.")
    if since is not None and (not isinstance(since, str) or _day(since) is None):
        raise BadRequest("since: expected a date such as 2024-01-31, or null.")
    return Choice(flags["shorts"], flags["live"], newest, since)


def _day(text: str) -> datetime | None:
    try:
        day = date.fromisoformat(text) if len(text) == len("2024-01-31") else None
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def pages(youtube: DataApi, uploads: str, choice: Choice) -> Iterator[Sequence[Item]]:
    """The chosen videos of a channel, newest first, up to 50 at a time. ``uploads``: the id of all (UU…).

    Asks for no page that nothing is wanted of. Raises what :class:`DataApi` raises.
    """
    items = iter(_limited(_sorted_out(youtube, uploads, choice), choice))
    while page := list(islice(items, PAGE)):
        yield page


def _sorted_out(youtube: DataApi, uploads: str, choice: Choice) -> Iterator[Item]:
    ahead = not choice.ends_early

    def items(playlist_id: str) -> Iterator[Item]:
        return chain.from_iterable(youtube.pages(playlist_id, ahead=ahead))

    if choice.shorts and choice.live:
        return items(uploads)
    others = [prefix for prefix, wanted in ((_SHORTS, choice.shorts), (_LIVE, choice.live)) if wanted]
    try:
        videos = _begun(items(uploads.replace("UU", _VIDEOS, 1)))
    except NotVisible:
        return _by_duration(youtube, youtube.pages(uploads, ahead=ahead), choice)
    streams = [_if_there(items(uploads.replace("UU", prefix, 1))) for prefix in others]
    return merge(videos, *streams, key=_newest_first)


def _begun(items: Iterator[Item]) -> Iterator[Item]:
    """The same items. The first page has been asked for."""
    first = list(islice(items, 1))
    return chain(first, items)


def _if_there(items: Iterator[Item]) -> Iterator[Item]:
    """The items of a playlist, or none: a channel without Shorts has no playlist of them."""
    try:
        return _begun(items)
    except NotVisible:
        return iter(())


def _newest_first(item: Item) -> float:
    return -item.published_at.timestamp() if item.published_at else float("-inf")


def _by_duration(youtube: DataApi, listed: Iterable[Sequence[Item]], choice: Choice) -> Iterator[Item]:
    for page in listed:
        kinds = youtube.kinds([item.video_id for item in page if not item.gone])
        for item in page:
            kind = kinds.get(item.video_id, "video")
            if kind == "video" or (kind == "short" and choice.shorts) or (kind == "live" and choice.live):
                yield item


def _limited(items: Iterable[Item], choice: Choice) -> Iterator[Item]:
    begin = _day(choice.since) if choice.since else None
    taken = older = 0
    for item in items:
        if begin and (item.published_at is None or item.published_at < begin):
            older += item.published_at is not None
            if older > _TOLERATED:
                return
            continue
        older = 0
        yield item
        taken += not item.gone
        if taken == choice.newest:
            return
