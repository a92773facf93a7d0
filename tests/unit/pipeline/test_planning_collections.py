"""Collections that nobody has started a job for, or that hold nothing: in a database in memory."""

from __future__ import annotations

from typing import Any, cast

import pytest

from shared import clock
from shared.config import Config
from shared.gcp.deliveries import Delivery
from shared.gcp.pubsub import Topics
from shared.library import memberships
from shared.library.collections import Collections
from shared.messages import PlaylistMessage
from shared.oauth.grants import Grants
from shared.pipeline.jobs import Jobs
from shared.pipeline.planner import Planner
from shared.pipeline.refresh import Refreshing
from shared.search.index.writer import SearchIndex
from shared.youtube.data_api import DataApi
from tests.unit.in_memory import InMemory
from tests.unit.stopped_clock import StoppedClock

USER = "ann"


class _Topics:
    """Keeps what was published, by topic."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Any]] = []

    def publish(self, topic: str, messages: list[Any]) -> None:
        self.published += [(topic, each) for each in messages]


class _Index:
    def refresh(self) -> None:
        pass

    def write_membership(self, *_: object) -> None:
        pass

    def count(self, _: object) -> int:
        return 0


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    time = StoppedClock()
    monkeypatch.setattr(clock, "now", time)
    return time


def test_what_was_added_and_got_no_job_is_listed_at_the_next_slot(time: StoppedClock) -> None:
    db, topics = InMemory(), _Topics()
    collections = Collections(db)
    made = collections.create(USER, "Talks")
    # The process died after this commit.
    collections.add(USER, made.collection_id, {"video000001": None})
    unused = cast(DataApi, None), cast(Grants, None)
    refreshing = Refreshing(Config(), db, cast(Topics, topics), *unused, lambda user_id: True)
    assert refreshing.run().jobs == 0
    time.forward(days=1)
    assert refreshing.run().jobs == 1
    ((_, message),) = topics.published
    assert message.playlist_id == made.collection_id


def test_an_empty_collection_is_listed_to_its_end(time: StoppedClock) -> None:
    db, topics = InMemory(), _Topics()
    made = Collections(db).create(USER, "Talks")
    job, _ = Jobs(db).start(USER, made.collection_id)
    planner = Planner(
        Config(),
        db,
        cast(Topics, topics),
        cast(SearchIndex, _Index()),
        cast(DataApi, None),
        cast(Grants, None),
    )
    planner.plan(PlaylistMessage(made.collection_id, job.job_id, USER), cast(Delivery, None))
    ended = Jobs(db).read(job.job_id)
    assert ended is not None
    assert (ended.state, ended.total, ended.error) == ("done", 0, None)
    known = memberships.read(db, USER, made.collection_id)
    assert known is not None
    assert known.listed_at == time()
