"""The videos of a channel: all uploads, or what a person chose of them.

YouTube keeps playlists of a channel's videos without Shorts and broadcasts, of its Shorts, and of its
broadcasts. They have the id of the uploads with other prefixes, are documented nowhere, and some channels
lack them. Without them the uploads are sorted by what videos.list says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from heapq import merge
from itertools import chain, islice
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from shared.errors import BadRequest, NotVisible
from shared.youtube.data_api import DataApi
from shared.youtube.resources import PAGE, Item

_VIDEOS, _SHORTS, _LIVE = "UULF", "UUSH", "UULV"
#: Uploads are listed newest first, but for a few. After so many older ones there is nothing new.
_TOLERATED = 10
_DATE = "a date such as 2024-01-31, or null"


class Choice(Struct, frozen=True, forbid_unknown_fields=True):
    """What of a channel is wanted. `newest`: so many videos; `since`: published on that day or later."""

    shorts: bool = True
    live: bool = True
    newest: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    since: (
        Annotated[
            str,
            Meta(examples=["2024-01-31"], extra={"expected": _DATE}, extra_json_schema={"format": "date"}),
        ]
        | None
    ) = None

    @property
    def everything(self) -> bool:
        return self == Choice()

    @property
    def ends_early(self) -> bool:
        return self.newest is not None or self.since is not None

    def as_json(self) -> dict[str, Any]:
        return structs.asdict(self)


def require_day(choice: Choice) -> None:
    """Raises BadRequest when ``since`` is no day."""
    if choice.since is not None and _day(choice.since) is None:
        raise BadRequest(f"since: expected {_DATE}.")


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
