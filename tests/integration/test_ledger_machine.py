"""Any sequence of what functions and people do to a job keeps the ledger exact: Hypothesis against the real
Firestore emulator."""

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

from shared import jobs, ledger, rounds
from shared.documents import Conflict
from shared.errors import Busy
from shared.jobs import Job
from shared.ledger import Entry, NewEntry, State
from tests.integration.firestore_support import (
    Seams,
    check,
    dead_letter,
    enter,
    entries_of,
    ids,
    job_of,
    new_job,
    settle,
    sweep_one,
)

VIDEOS = st.sampled_from(ids(6))
OUTCOMES: st.SearchStrategy[State] = st.sampled_from(["indexed", "no_transcript", "unavailable", "failed"])


class JobMachine(RuleBasedStateMachine):
    """``model``: state and round of each entry, as they must be."""

    def __init__(self) -> None:
        super().__init__()
        self.job: Job = new_job()
        self.model: dict[str, tuple[State, int]] = {}
        self.state = "queued"
        #: Entries as somebody read them who has been slow since.
        self.stale: list[Entry] = []

    # -- functions

    @precondition(lambda self: self.state in ("queued", "planning"))
    @rule(expected=st.integers(0, 400))
    def begin_planning(self, expected: int) -> None:
        self.job = jobs.begin_planning(self.job, "A playlist", expected)
        self.state = "planning"

    @precondition(lambda self: self.state == "planning")
    @rule(video_id=VIDEOS, born=st.sampled_from(["pending", "pending", "unavailable"]))
    def list_video(self, video_id: str, born: State) -> None:
        entry = NewEntry(video_id, video_id, 0, born, "was born so" if born != "pending" else "")
        try:
            if video_id not in self.model:
                enter(self.job, [entry])
                self.model[video_id] = (born, 0)
        except Conflict as conflict:
            raise AssertionError("nobody else is at it") from conflict

    @precondition(lambda self: self.state in ("planning", "running") and self.model)
    @rule()
    def seal(self) -> None:
        jobs.seal(self.job.job_id)
        self.state = "running"
        self._over_if_settled()

    @rule(video_id=VIDEOS, outcome=OUTCOMES)
    def settle_video(self, video_id: str, outcome: State) -> None:
        if video_id in self.model:
            settle(job_of(self.job.job_id), video_id, outcome, spent=10)
            self._settled(video_id, outcome)

    @rule(video_id=VIDEOS)
    def read_and_wait(self, video_id: str) -> None:
        self.stale += [entry for each, entry in entries_of(self.job.job_id).items() if each == video_id]

    @precondition(lambda self: self.stale)
    @rule(outcome=OUTCOMES)
    def settle_late(self, outcome: State) -> None:
        entry = self.stale.pop(0)
        jobs.settle(job_of(self.job.job_id), entry, outcome, reason="late")
        self._settled(entry.video_id, outcome)

    @rule(video_id=VIDEOS, number=st.integers(0, 2))
    def bury(self, video_id: str, number: int) -> None:
        dead_letter(self.job, video_id, number)
        if self.model.get(video_id, ("", -1))[1] == number:
            self._settled(video_id, "failed")

    @rule(lost=st.booleans())
    def sweep(self, lost: bool) -> None:
        if job_of(self.job.job_id).active:
            sweep_one(self.job, messages_lost=lost)

    # -- people

    @rule()
    def cancel(self) -> None:
        jobs.cancel(self.job.job_id)
        if self.state in jobs.ACTIVE:
            self.state = "cancelled"

    @rule()
    def fail(self) -> None:
        jobs.fail(self.job.job_id, "It cannot be listed.")
        if self.state in ("queued", "planning"):
            self.state = "failed"

    @rule()
    def retry(self) -> None:
        rounds.retry(job_of(self.job.job_id))
        if self.state in jobs.ACTIVE:
            return
        for video_id, (state, number) in self.model.items():
            if state == "failed":
                self.model[video_id] = ("pending", number + 1)
        self.state = "running" if job_of(self.job.job_id).total is not None else "queued"
        self._over_if_settled()

    @rule()
    def start_again(self) -> None:
        """One job of a playlist at a time."""
        other, new = jobs.start(self.job.user_id, self.job.playlist_id)
        assert new == (self.state not in jobs.ACTIVE)
        if new:
            with pytest.raises(Busy):
                rounds.retry(job_of(self.job.job_id))
            jobs.cancel(other.job_id)

    # -- what must be true

    def _settled(self, video_id: str, outcome: State) -> None:
        state, number = self.model[video_id]
        if state == "pending":
            self.model[video_id] = (outcome, number)
        self._over_if_settled()

    def _over_if_settled(self) -> None:
        if self.state == "running" and all(state != "pending" for state, _ in self.model.values()):
            self.state = "done"

    @invariant()
    def the_ledger_is_exact(self) -> None:
        found = {each: (entry.state, entry.round) for each, entry in entries_of(self.job.job_id).items()}
        assert found == self.model
        check(self.job.job_id)
        assert job_of(self.job.job_id).state == self.state


def test_any_sequence_keeps_the_ledger_exact(seams: Seams, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_A_COMMIT", 2)
    rules: Any = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(JobMachine, settings=rules)
