"""What changed in a source of a library, job by job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.library.packing import pack_ids, unpack_ids

#: What changed in a source is remembered for so long, of so many jobs, and so many ids: of each kind in one
#: job, and in all. A document takes at most 1 MiB, and the ids and times of 20,000 videos are 0.3 of it.
_REMEMBERED = timedelta(days=14)
_MOST_CHANGES, _MOST_IDS, _MOST_IDS_IN_ALL = 60, 1000, 6000


@dataclass(frozen=True, slots=True)
class Change:
    """What one job found changed in a source that was in the library before. Each but ``removed``: ids.

    ``captions``: of videos whose captions came later. ``removed``: how many were taken out.
    """

    job_id: str
    at: datetime
    new: tuple[str, ...] = ()
    removed: int = 0
    captions: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()


def change_from(data: Mapping[str, Any]) -> Change:
    ids = {name: unpack_ids(data.get(name)) for name in ("new", "captions", "renamed")}
    return Change(data["job_id"], data["at"], removed=data.get("removed", 0), **ids)


def with_change(changes: Sequence[Change], change: Change) -> dict[str, Any]:
    """The fields of a membership after one more change. None if nothing has changed.

    What the same job has found before is kept: each write finds only what is new since the last one.
    """
    if not (change.new or change.removed or change.captions or change.renamed):
        return {}
    same = next((each for each in changes if each.job_id == change.job_id), Change("", change.at))
    merged = Change(
        change.job_id,
        change.at,
        _joined(same.new, change.new),
        same.removed + change.removed,
        _joined(same.captions, change.captions),
        _joined(same.renamed, change.renamed),
    )
    kept = [each for each in changes if each.job_id != change.job_id and each.at > change.at - _REMEMBERED]
    return {
        "changes": [
            {
                "job_id": each.job_id,
                "at": each.at,
                "removed": each.removed,
                "new": pack_ids(each.new),
                "captions": pack_ids(each.captions),
                "renamed": pack_ids(each.renamed),
            }
            for each in _within_a_document([*kept, merged][-_MOST_CHANGES:])
        ]
    }


def _within_a_document(changes: Sequence[Change]) -> list[Change]:
    """The changes, the oldest ones without the ids that are too many."""
    left, found = _MOST_IDS_IN_ALL, list[Change]()
    for each in reversed(changes):
        ids = {}
        for name in ("new", "captions", "renamed"):
            ids[name] = getattr(each, name)[:left]
            left -= len(ids[name])
        found.append(replace(each, **ids))
    return found[::-1]


def _joined(before: Sequence[str], more: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*before, *more]))[:_MOST_IDS]
