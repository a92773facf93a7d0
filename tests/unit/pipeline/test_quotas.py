"""A user's active jobs are named in the document of the user's starts, so that a start needs no query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from shared.config import Config
from shared.errors import TooMany
from shared.gcp.documents import Snapshot
from shared.pipeline.jobs import Job, Jobs
from shared.pipeline.quotas import Quota, starts_path
from tests.unit.in_memory import InMemory

QUOTA = replace(Quota.for_user("ann", Config()), at_once=3)
STARTS = starts_path("ann")


class Counting(InMemory):
    """``queries``: how many were asked."""

    queries = 0

    def query(self, *collection: Any, **options: Any) -> Iterator[Snapshot]:
        self.queries += 1
        return super().query(*collection, **options)


@pytest.fixture
def db() -> Counting:
    return Counting()


@pytest.fixture
def jobs(db: Counting) -> Jobs:
    return Jobs(db)


def started(jobs: Jobs, *names: str) -> list[Job]:
    return [jobs.start("ann", f"PL{name}", quota=QUOTA)[0] for name in names]


def test_as_many_jobs_as_the_quota_allows_are_active_and_no_start_needs_a_query(
    db: Counting, jobs: Jobs
) -> None:
    first, second, third = started(jobs, "first", "second", "third")
    with pytest.raises(TooMany, match=r"^3 of your playlists or videos are being fetched"):
        started(jobs, "fourth")
    jobs.cancel(second.job_id)
    [fourth] = started(jobs, "fourth")
    assert set(db[STARTS]["jobs"]) == {first.job_id, third.job_id, fourth.job_id}
    with pytest.raises(TooMany):
        started(jobs, "fifth")
    assert db.queries == 0


def test_a_job_that_is_resumed_while_another_one_starts_counts(db: Counting, jobs: Jobs) -> None:
    ended, *_ = started(jobs, "first", "second", "third")
    jobs.cancel(ended.job_id)

    def after_the_next_read() -> None:
        # The start has found the job ended, and drops its name.
        db.meanwhile = lambda: jobs.resume(ended, "running")

    db.meanwhile = after_the_next_read
    with pytest.raises(TooMany, match=r"^3 of"):
        started(jobs, "fourth")
    assert ended.job_id in db[STARTS]["jobs"]


def test_jobs_that_start_between_the_charge_of_a_retry_and_its_job_take_its_place(
    db: Counting, jobs: Jobs
) -> None:
    ended, *_ = started(jobs, "first", "second", "third")
    jobs.cancel(ended.job_id)
    starts = db.read(STARTS)[0]
    db.commit().put(starts, jobs.charge(QUOTA, starts, ended.job_id)).run()
    started(jobs, "fourth")
    with pytest.raises(TooMany, match=r"^3 of"):
        jobs.resume(ended, "running", QUOTA)
    assert len(jobs.still_active("ann", db[STARTS]["jobs"])) == 3


def test_a_job_that_no_person_started_does_not_count(db: Counting, jobs: Jobs) -> None:
    scheduled, _ = jobs.start("ann", "PLscheduled", schedule=db.commit)
    jobs.cancel(scheduled.job_id)
    jobs.resume(scheduled, "running")
    started(jobs, "first", "second", "third")
    assert scheduled.job_id not in db[STARTS]["jobs"]


def test_a_scheduled_job_that_a_person_retries_is_charged_and_does_not_count(
    db: Counting, jobs: Jobs
) -> None:
    scheduled, _ = jobs.start("ann", "PLscheduled", schedule=db.commit)
    jobs.cancel(scheduled.job_id)
    starts = db.read(STARTS)[0]
    db.commit().put(starts, jobs.charge(QUOTA, starts, scheduled.job_id)).run()
    jobs.resume(scheduled, "running")
    started(jobs, "first", "second", "third")
    with pytest.raises(TooMany, match=r"^3 of"):
        started(jobs, "fourth")
    assert len(db[STARTS]["at"]) == 4


@pytest.mark.parametrize("then", ["start", "resume"])
def test_jobs_that_an_older_document_does_not_name_count(db: Counting, jobs: Jobs, then: str) -> None:
    known = started(jobs, "first", "second", "third")
    db[STARTS] = {"at": db[STARTS]["at"]}
    if then == "resume":
        jobs.cancel(known[0].job_id)
        jobs.resume(known[0], "running")
    with pytest.raises(TooMany, match=r"^3 of"):
        started(jobs, "fourth")
