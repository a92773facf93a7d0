"""The state directory of a local run, and the time as a test sets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.state_dir import StateDir
from shared import clock
from tests.unit.stopped_clock import StoppedClock


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path)
    state.make()
    return state


@pytest.fixture
def clock_of_test(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    made = StoppedClock()
    monkeypatch.setattr(clock, "now", made)
    return made
