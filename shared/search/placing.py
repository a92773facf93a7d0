"""Searches by what only the library knows: the order of a playlist, and when a video was added.

The search index knows nothing of it: a video is one document for all users. So the ids of all hits are found
first, put in order here, and the hits of one page are read by their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared import clock
from shared.search.compiler import Clause
from shared.search.params import Params

#: Hits that one request finds: the most that Elasticsearch returns at a time.
WINDOW = 10_000
#: Elasticsearch refuses a list of more than 65,536 (index.max_terms_count).
_MOST_TERMS = 50_000


@dataclass(frozen=True, slots=True)
class Placing:
    """What a library says about the videos of a search.

    ``order``: ids in the order of the sort. ``added``: when each video was added to its source, if that is
    known. ``arrived``: when it was found there, of videos that a refresh has found lately.
    """

    order: Sequence[str] = ()
    added: Mapping[str, datetime] = field(default_factory=dict)
    arrived: Mapping[str, datetime] = field(default_factory=dict)

    def sorted(self, found: Sequence[str]) -> list[str]:
        """The ids that were found, in order. What the library does not know (yet) comes last."""
        wanted = set(found)
        placed = [each for each in dict.fromkeys(self.order) if each in wanted]
        return [*placed, *sorted(wanted.difference(placed))]

    def added_at(self, video_id: str) -> str | None:
        """When the video was put into its source, as a hit shows it."""
        return clock.rfc3339(self.added.get(video_id))


def needs_placing(params: Params) -> bool:
    """Whether the search needs what only the library knows."""
    return params.sort in ("playlist", "added") or params.added_after is not None


def within(clause: Clause, params: Params, placing: Placing) -> Clause:
    """The clause, limited to what came into the library at or after the time in ``params``."""
    since = clock.parse(params.added_after)
    if since is None:
        return clause
    video_ids = [each for each, at in {**placing.added, **placing.arrived}.items() if at >= since]
    starts = range(0, max(1, len(video_ids)), _MOST_TERMS)
    parts = [{"terms": {"video_id": video_ids[start : start + _MOST_TERMS]}} for start in starts]
    return {"bool": {"must": [clause], "filter": [{"bool": {"should": parts}}]}}


def is_place(after: Any) -> bool:
    """Whether these are the number of hits that were shown, and the last one of them."""
    match after:
        case [int(shown), str()]:
            return not isinstance(shown, bool) and shown >= 0
    return False


def page_after(ids: Sequence[str], after: Sequence[Any], limit: int) -> list[str]:
    """The next ids. ``after``: how many were shown, and the last one of them; empty at the beginning.

    What came or went before the last one since then moves nothing.
    """
    if not after:
        return list(ids[:limit])
    shown, last = after
    start = ids.index(last) + 1 if last in ids else shown
    return list(ids[start : start + limit])
