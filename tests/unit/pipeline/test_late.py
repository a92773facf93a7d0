"""A scheduled job that fails says on its source why nothing came: in a database in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from shared import clock
from shared.config import INCOMPLETE, Config, ConfigError
from shared.errors import JobFailed
from shared.gcp.deliveries import Delivery
from shared.gcp.pubsub import Topics
from shared.library.memberships import membership_path
from shared.library.refreshes import refresh_from, refresh_path
from shared.messages import PlaylistMessage
from shared.oauth.grants import Grants
from shared.pipeline.dead_letters import DeadLetters
from shared.pipeline.jobs import Jobs, job_path
from shared.pipeline.planner import Planner
from shared.search.index.writer import SearchIndex
from shared.youtube.data_api import DataApi
from tests.unit.in_memory import InMemory

MESSAGE = PlaylistMessage("PLtalks", "job1", "ann")


class _YouTube:
    def __init__(self, error: Exception) -> None:
        self._error = error

    def playlist(self, *_: object) -> object:
        raise self._error


def planned(error: Exception) -> Callable[[InMemory], None]:
    def plan(db: InMemory) -> None:
        youtube, none = cast(DataApi, _YouTube(error)), cast(Any, None)
        planner = Planner(
            Config(), db, cast(Topics, none), cast(SearchIndex, none), youtube, cast(Grants, none)
        )
        planner.plan(MESSAGE, none)

    return plan


def given_up(db: InMemory) -> None:
    none = cast(Any, None)
    delivery = Delivery(data=MESSAGE.encode(), message_id="1", attributes={}, attempt=None)
    DeadLetters(db, none, none).settle(delivery)


@pytest.mark.parametrize(
    ("fail", "late"),
    [
        (planned(JobFailed("YouTube refused.")), "YouTube refused."),
        (planned(ConfigError("YOUTUBE_API_KEY: expected a key")), INCOMPLETE),
        (given_up, "The database was slow. Given up after several attempts."),
    ],
)
@pytest.mark.parametrize("scheduled", [True, False])
def test_a_scheduled_job_that_fails_says_why_on_its_source(
    fail: Callable[[InMemory], None], late: str, scheduled: bool
) -> None:
    db, now = InMemory(), clock.now()
    db[membership_path("ann", "PLtalks")] = {"title": "Talks", "updated_at": now}
    db[refresh_path("ann", "PLtalks")] = {"user_id": "ann", "playlist_id": "PLtalks"}
    about = {"user_id": "ann", "playlist_id": "PLtalks", "state": "queued", "created_at": now}
    db[job_path("job1")] = {**about, "scheduled": scheduled, "error": "The database was slow."}
    fail(db)
    job = Jobs(db).read("job1")
    assert job is not None
    assert (job.state, job.error) == ("failed", late)
    plan = refresh_from(db.read(refresh_path("ann", "PLtalks"))[0])
    assert plan is not None
    assert plan.late == (late if scheduled else None)
