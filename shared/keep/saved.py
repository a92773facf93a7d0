"""A saved search as it is stored, and what its next look at the library changes."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Self, TypedDict
from urllib.parse import parse_qsl, urlencode

from shared import clock
from shared.declared import ShortId, Time
from shared.errors import BadRequest
from shared.gcp.documents import Snapshot
from shared.library.packing import pack_ids, unpack_ids
from shared.search.params import Params

#: Hits that were seen keep the time when they were found, so that they stay in the feed; so many of them.
_SEEN_IN_FEED = 500
#: Videos that are remembered although they are no hits any more: when they come back, they are not new.
_REMEMBERED = 20_000
#: Parameters of a request that are no part of a saved search.
_OF_A_REQUEST = ("limit", "cursor", "new_in", "format")
QUERY_LENGTH = 8_000
NO_QUERY = "query: expected the filters of a search, as in the address of its page."
_TICK = timedelta(milliseconds=1)


class FeedView(TypedDict):
    """The feed of a saved search. Its address was shown when it was made."""

    created_at: Time


class SearchView(TypedDict):
    """A saved search.

    - `query`: its filters, as in the address of the page
    - `checked_at`: when its hits were last looked for; `total`: of them; `new`: those that were found since
      you saved it and have not seen, the first one at `new_since`
    - `notice`: why it may not find what you expect
    """

    id: ShortId
    title: str
    query: str
    created_at: Time
    checked_at: Time
    total: int
    new: int
    new_since: Time | None
    feed: FeedView | None
    notice: str | None


class Arguments:
    """The parameters in a query string, for :meth:`shared.search.params.Params.from_request`."""

    def __init__(self, query: str) -> None:
        """Raises BadRequest."""
        expected = BadRequest(NO_QUERY)
        if len(query) > QUERY_LENGTH:
            raise expected
        try:
            query.encode()
            pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, max_num_fields=500)
        except ValueError as error:
            raise expected from error
        self._pairs = [(name, value) for name, value in pairs if name not in _OF_A_REQUEST]

    @property
    def text(self) -> str:
        return urlencode(self._pairs)

    @property
    def filters(self) -> list[tuple[str, str]]:
        """What decides which videos are found: all but the order."""
        return sorted(pair for pair in self._pairs if pair[0] != "sort")

    def get(self, key: str, /) -> str | None:
        return next((value for name, value in self._pairs if name == key), None)

    def getlist(self, key: str, /) -> list[str]:
        return [value for name, value in self._pairs if name == key]


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A saved search.

    ``query``: a query string. ``checked_at``: when its hits were last looked for. ``seen_at``: hits that were
    found later are new. ``library``: the state of the library at the last look. ``total``: hits. ``known``:
    the videos that are hits, or were. ``found``: the hits that were not there when the search was saved, and
    when they were found, the latest last. ``refused``: why it could not be searched. ``feed``: the hash of
    the token of its feed.
    """

    search_id: str
    title: str
    query: str
    created_at: datetime
    checked_at: datetime
    seen_at: datetime
    library: str = ""
    total: int = 0
    known: frozenset[str] = frozenset()
    found: Mapping[str, datetime] = field(default_factory=dict)
    refused: str | None = None
    feed: str | None = None
    feed_created_at: datetime | None = None
    update_time: datetime | None = None

    @classmethod
    def begin(cls, search_id: str, title: str, query: str, library: str, hits: Collection[str]) -> Self:
        """A search that is saved now. None of its hits is new."""
        now = this_moment()
        return cls(search_id, title, query, now, now, now, library, len(hits), frozenset(hits))

    @property
    def params(self) -> Params:
        """Raises BadRequest if such a search is not accepted any more."""
        return Params.from_request(Arguments(self.query))

    @property
    def new(self) -> list[str]:
        """The hits that nobody has seen yet, the latest last."""
        return [video_id for video_id, time in self.found.items() if time > self.seen_at]

    def with_hits(self, hits: Collection[str], library: str) -> Self:
        """After a look at the library. A new hit that is no hit any more is not known any more either."""
        now = max(this_moment(), self.checked_at + _TICK)
        present, new = frozenset(hits), frozenset(self.new)
        gone = self.known - present - new
        found = {video_id: time for video_id, time in self.found.items() if video_id in present}
        seen = [video_id for video_id in found if video_id not in new]
        for video_id in seen[:-_SEEN_IN_FEED]:
            del found[video_id]
        found |= dict.fromkeys(sorted(present - self.known), now)
        known = present | gone if len(gone) <= _REMEMBERED else present
        return replace(
            self,
            checked_at=now,
            library=library,
            total=len(present),
            known=known,
            found=found,
            refused=None,
        )

    def seen(self, until: datetime | None) -> datetime:
        """``seen_at`` after the person has seen what was found until then. None: all that is stored."""
        return max(self.seen_at, min(until or self.checked_at, self.checked_at))

    def stored(self) -> dict[str, Any]:
        """The fields of the document."""
        fields = asdict(self)
        for name in ("search_id", "update_time"):
            del fields[name]
        return {**fields, "known": pack_ids(sorted(self.known)), "found": _pack(self.found)}

    def view(self, titles: Mapping[str, str]) -> SearchView:
        """As the API answers it. ``titles``: of the playlists in the library, by id."""
        new = self.new
        return {
            "id": self.search_id,
            "title": self.title,
            "query": self.query,
            "created_at": clock.rfc3339(self.created_at),
            "checked_at": clock.rfc3339(self.checked_at),
            "total": self.total,
            "new": len(new),
            "new_since": clock.rfc3339(self.found[new[0]]) if new else None,
            "feed": {"created_at": clock.rfc3339(self.feed_created_at)} if self.feed_created_at else None,
            "notice": self._notice(titles),
        }

    def _notice(self, titles: Mapping[str, str]) -> str | None:
        """Why the search may not find what the person expects."""
        if self.refused is not None:
            return f"This search does not work any more, so nothing new is found. {self.refused}"
        gone = [each for each in Arguments(self.query).getlist("playlist") if each not in titles]
        if not gone:
            return None
        if len(gone) == 1:
            return "A source of this search is not in your library any more."
        return f"{len(gone)} sources of this search are not in your library any more."


def saved_from(snapshot: Snapshot) -> SavedSearch | None:
    """None when the document does not exist."""
    data = snapshot.data or {}
    return snapshot.read_as(
        SavedSearch,
        search_id=snapshot.id,
        known=frozenset(unpack_ids(data.get("known"))),
        found=_unpack(data.get("found")),
        update_time=snapshot.update_time,
    )


def this_moment() -> datetime:
    """Now, in the milliseconds that the API shows: people send this time back."""
    now = clock.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _pack(found: Mapping[str, datetime]) -> bytes:
    """One line for each time: milliseconds since 1970, and the ids that were found then."""
    lines = [
        " ".join([str(round(time.timestamp() * 1000)), *(video_id for video_id, _ in same)])
        for time, same in groupby(found.items(), key=lambda each: each[1])
    ]
    return zlib.compress("\n".join(lines).encode())


def _unpack(packed: bytes | None) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for line in zlib.decompress(packed).decode().splitlines() if packed else ():
        milliseconds, *ids = line.split(" ")
        time = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds))
        found |= dict.fromkeys(ids, time)
    return found
