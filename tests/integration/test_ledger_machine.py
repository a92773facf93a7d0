"""Whatever functions and people do to a job, in any order, its ledger stays exact.

Hypothesis makes up the sequences. The database is the real Firestore.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.errors import Busy
from shared.pipeline.jobs import ACTIVE, LISTING, Job
from shared.pipeline.ledger import Entry, NewEntry, VideoState
from tests.integration.world import World, ids

VIDEOS = st.sampled_from(ids(6))
OUTCOMES: st.SearchStrategy[VideoState] = st.sampled_from(
    ["indexed", "no_transcript", "unavailable", "failed"]
)


class JobMachine(RuleBasedStateMachine):
    """``model``: the state and the round that each entry must have. ``state``: the one of the job."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.job: Job = world.new_job()
        self.model: dict[str, tuple[VideoState, int]] = {}
        self.state = "queued"
        #: Entries that a slow function has read earlier.
        self.stale: list[Entry] = []

    @property
    def now(self) -> Job:
        return self.world.job(self.job.job_id)

    # -- functions

    @precondition(lambda self: self.state in LISTING)
    @rule(expected=st.integers(0, 400))
    def begin_planning(self, expected: int) -> None:
        self.job = self.world.jobs.begin_planning(self.job, "A playlist", expected)
        self.state = "planning"

    @precondition(lambda self: self.state == "planning")
    @rule(video_id=VIDEOS, state=st.sampled_from(["pending", "pending", "unavailable"]))
    def list_video(self, video_id: str, state: VideoState) -> None:
        if video_id not in self.model:
            reason = "It was unavailable from the start." if state != "pending" else ""
            self.world.enter(self.job, [NewEntry(video_id, video_id, 0, state, reason)])
            self.model[video_id] = (state, 0)

    @precondition(lambda self: self.state in ("planning", "running") and self.model)
    @rule()
    def list_to_the_end(self) -> None:
        self.world.jobs.seal(self.job.job_id)
        self.world.completion.complete_if_settled(self.job.job_id)
        self.state = "running"
        self._done_if_settled()

    @rule(video_id=VIDEOS, outcome=OUTCOMES)
    def settle(self, video_id: str, outcome: VideoState) -> None:
        if video_id in self.model:
            self.world.settle(self.now, video_id, outcome, spent=10)
            self._settled(video_id, outcome)

    @rule(video_id=VIDEOS)
    def read(self, video_id: str) -> None:
        if video_id in self.model:
            self.stale.append(self.world.entry(self.job, video_id))

    @precondition(lambda self: self.stale)
    @rule(outcome=OUTCOMES)
    def settle_what_was_read_earlier(self, outcome: VideoState) -> None:
        entry = self.stale.pop(0)
        self.world.settlement.settle(self.now, entry, outcome, "late")
        self._settled(entry.video_id, outcome)

    @rule(video_id=VIDEOS, number=st.integers(0, 2))
    def dead_letter(self, video_id: str, number: int) -> None:
        self.world.dead_letter(self.job, video_id, number)
        if self.model.get(video_id, ("", -1))[1] == number:
            self._settled(video_id, "failed")

    @rule(lost=st.booleans())
    def sweep(self, lost: bool) -> None:
        self.world.sweep(self.job, messages_lost=lost)

    # -- people

    @rule()
    def cancel(self) -> None:
        self.world.jobs.cancel(self.job.job_id)
        if self.state in ACTIVE:
            self.state = "cancelled"

    @rule()
    def fail(self) -> None:
        self.world.jobs.fail(self.job.job_id, "It cannot be listed.")
        if self.state in LISTING:
            self.state = "failed"

    @rule()
    def retry(self) -> None:
        self.world.retry.retry(self.now)
        if self.state in ACTIVE:
            return
        for video_id, (state, number) in self.model.items():
            if state == "failed":
                self.model[video_id] = ("pending", number + 1)
        self.state = "queued" if self.now.total is None else "running"
        self._done_if_settled()

    @rule()
    def start_another_job(self) -> None:
        """A playlist has one active job at a time."""
        other, new = self.world.jobs.start(self.job.user_id, self.job.playlist_id)
        assert new == (self.state not in ACTIVE)
        if new:
            with pytest.raises(Busy):
                self.world.retry.retry(self.now)
            self.world.jobs.cancel(other.job_id)

    # -- the model

    def _settled(self, video_id: str, outcome: VideoState) -> None:
        state, number = self.model[video_id]
        if state == "pending":
            self.model[video_id] = (outcome, number)
        self._done_if_settled()

    def _done_if_settled(self) -> None:
        if self.state == "running" and all(state != "pending" for state, _ in self.model.values()):
            self.state = "done"

    @invariant()
    def the_ledger_is_exact(self) -> None:
        found = {
            video_id: (entry.state, entry.round)
            for video_id, entry in self.world.entries(self.job.job_id).items()
        }
        assert found == self.model
        self.world.check(self.job.job_id)
        assert self.now.state == self.state


def test_any_sequence_of_steps_keeps_the_ledger_exact(world: World) -> None:
    class Machine(JobMachine):
        def __init__(self) -> None:
            super().__init__(world)

    options: Any = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Machine, settings=options)
