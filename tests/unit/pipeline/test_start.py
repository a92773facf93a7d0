"""A person starts a job while another one is active, in a database in memory."""

from __future__ import annotations

from typing import cast

import pytest

from shared.config import Config
from shared.errors import Busy
from shared.gcp.pubsub import Topics
from shared.pipeline.jobs import Jobs
from shared.pipeline.start import Start
from shared.youtube.channels import Choice
from tests.unit.in_memory import InMemory

CHANNEL = "UU" + "a" * 22


class _Topics:
    def publish(self, *_: object) -> None:
        pass


@pytest.fixture
def db() -> InMemory:
    return InMemory()


@pytest.fixture
def start(db: InMemory) -> Start:
    return Start(Config(), db, cast(Topics, _Topics()))


@pytest.mark.parametrize("active", [None, Choice(newest=5), Choice()])
def test_a_choice_that_the_active_job_does_not_keep_is_refused(start: Start, active: Choice | None) -> None:
    job, _ = start.start("ann", CHANNEL, channel=active)
    with pytest.raises(Busy, match="cancel it"):
        start.start("ann", CHANNEL, channel=Choice(newest=100))
    with pytest.raises(Busy):
        start.start_known("ann", CHANNEL, Choice(newest=100))
    # Who chooses nothing, or the same, gets the active job.
    for choice in (None, active):
        same, new = start.start("ann", CHANNEL, channel=choice)
        assert (same.job_id, new) == (job.job_id, False)


def test_a_person_waits_for_a_scheduled_job_that_lists_what_was_added(db: InMemory, start: Start) -> None:
    jobs = Jobs(db)
    made = start._collections.create("ann", "Talks")
    scheduled, _ = jobs.start("ann", made.collection_id, schedule=db.commit)
    assert scheduled.scheduled
    _, job = start.add("ann", made.collection_id, {"video000001": None})
    assert job is not None
    assert (job.job_id, job.scheduled, job.extended) == (scheduled.job_id, False, 1)
