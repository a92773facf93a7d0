"""Which videos a job has looked at when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from shared import clock
from shared.library.memberships import Memberships
from shared.library.packing import pack_ids
from shared.pipeline import job_views
from shared.pipeline.completion import Completion
from shared.pipeline.jobs import Jobs, job_path
from shared.pipeline.ledger import STATES, Ledger, entry_path
from shared.search.index.writer import SearchIndex
from tests.unit.in_memory import InMemory

COSTS = {"reused": 1, "youtube_bytes": 7}
VIDEOS = ["video000001", "video000002"]


class _Index:
    def refresh(self) -> None:
        pass


@pytest.mark.parametrize(
    ("job", "entered", "expected"),
    [
        ({}, VIDEOS, {"listed": True, "only": None}),
        ({"video_ids": pack_ids(VIDEOS[:1])}, VIDEOS[:1], {"listed": False, "only": VIDEOS[:1]}),
        ({"new_only": True}, VIDEOS, {"listed": True, "only": VIDEOS}),
        ({"new_only": True}, [], {"listed": True, "only": []}),
    ],
)
def test_a_job_of_new_videos_has_looked_at_nothing_else(
    job: dict[str, Any], entered: Sequence[str], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    db, ended = InMemory(), []
    monkeypatch.setattr(Memberships, "finish", lambda *_, **about: ended.append(about))
    # The database in memory keeps no conditions.
    monkeypatch.setattr(Ledger, "unfinished", lambda *_: ())
    about = {"user_id": "ann", "playlist_id": "PLx", "state": "running", "created_at": clock.now()}
    db[job_path("job1")] = {**about, **job}
    db[job_path("job1") + "/counters/0"] = {"indexed": 2, **COSTS}
    for each in entered:
        db[entry_path("job1", each)] = {"state": "indexed", "title": "", "position": 0, "attempts": 0}
    assert Completion(db, cast(SearchIndex, _Index())).complete_if_settled("job1")
    db[job_path("job1") + "/counters/0"] = {}
    done = Jobs(db).read("job1")
    assert done is not None
    # Counted when it was done, and read without its counters.
    none: dict[str, int] = dict.fromkeys(map(str, STATES), 0)
    assert job_views.counts(done, Ledger(db)).as_json() == none | COSTS | {"indexed": 2}
    assert [{**each, "only": each["only"] and list(each["only"])} for each in ended] == [expected]
