"""When a run saves the library while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from infra.local import persistence
from infra.local.persistence import Autosave, Exports, next_pause, pause_after
from infra.local.state_dir import StateDir
from tests.unit.exports_support import Emulator, run


@pytest.mark.parametrize(("took", "pause"), [(0.0, 2.0), (0.04, 2.0), (0.1, 5.0), (0.9, 45.0), (5.0, 45.0)])
def test_an_export_takes_a_fiftieth_of_a_core_and_comes_within_the_minute(took: float, pause: float) -> None:
    assert pause_after(took) == pytest.approx(pause)


@pytest.mark.parametrize(
    ("last", "usual", "changed", "pause"),
    [
        (2.0, 2.0, False, 4.0),
        (4.0, 2.0, False, 8.0),
        (32.0, 2.0, False, 45.0),
        (45.0, 45.0, False, 45.0),
        (32.0, 2.0, True, 2.0),
        (32.0, 5.0, True, 5.0),
        (2.0, 5.0, False, 10.0),
    ],
)
def test_what_is_saved_in_vain_is_saved_less_and_less(
    last: float, usual: float, changed: bool, pause: float
) -> None:
    assert next_pause(last, usual, changed) == pytest.approx(pause)


class Saving:
    """An Autosave at work, and what it said. In a loop only."""

    def __init__(self, emulator: Emulator, exports: Exports, address: str, state: StateDir) -> None:
        self.emulator = emulator
        self.changes = state.changes
        self.usable = True
        self.said: list[str] = []
        self.autosave = Autosave(exports, address, lambda: self.usable, self.changes, self.said.append)
        self.task = asyncio.create_task(self.autosave.run())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)

    async def exports(self, number: int) -> None:
        """Until there were so many."""
        await self.until(lambda: self.emulator.exports >= number)

    async def rests(self, number: int) -> None:
        """After so many exports, though some time passes."""
        await self.exports(number)
        await asyncio.sleep(0.3)
        assert self.emulator.exports == number

    async def end(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def _save(state: StateDir, scenario: Callable[[Saving], Awaitable[None]]) -> None:
    async def save(emulator: Emulator, exports: Exports, address: str) -> None:
        saving = Saving(emulator, exports, address, state)
        try:
            await scenario(saving)
        finally:
            await saving.end()

    run(state, save)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports every hundredth of a second while something changes; after one in vain never by itself."""
    monkeypatch.setattr(persistence, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(persistence, "_LONGEST_PAUSE", 1000.0)
    monkeypatch.setattr(persistence, "_SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(persistence, "_PAUSE_FACTOR", 0.0)
    monkeypatch.setattr(persistence, "_GROWTH", 1e9)


@pytest.mark.usefixtures("quick")
def test_an_idle_run_is_saved_less_and_less_until_somebody_changes_something(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        # The first finds something, the second does not.
        await saving.rests(2)
        saving.changes.touch()
        await saving.rests(3)
        saving.emulator.documents = {"output-0": b"two"}
        saving.changes.touch()
        # One finds it; one more, as soon, finds nothing.
        await saving.rests(5)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_what_a_person_does_does_not_wait_as_a_job_does(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_SHORTEST_PAUSE", 1000.0)

    async def scenario(saving: Saving) -> None:
        saving.emulator.changing = True
        await saving.rests(0)
        for number in (1, 2):
            saving.changes.touch()
            await saving.rests(number)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_however_often_somebody_does_something_exports_leave_most_of_a_core_to_others(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_SHORTEST_PAUSE", 1000.0)
    monkeypatch.setattr(persistence, "_PROMPT_FACTOR", 1e9)

    async def scenario(saving: Saving) -> None:
        for _ in range(2):
            saving.changes.touch()
            await saving.rests(1)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_what_somebody_did_is_waited_for_though_it_is_not_there_yet(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "_SHORTEST_PAUSE", 0.5)

    async def scenario(saving: Saving) -> None:
        # After half a second one that finds something, then one that does not.
        await saving.rests(2)
        monkeypatch.setattr(persistence, "_GROWTH", 1.0)
        saving.changes.touch()
        await saving.exports(3)
        saving.emulator.documents = {"output-0": b"two"}
        await saving.exports(5)
        assert (state.data / "firestore" / "latest").read_text() in {
            each.parent.parent.name for each in state.data.rglob("output-0") if each.read_bytes() == b"two"
        }

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_what_is_worth_it_is_saved_at_once(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        await saving.rests(2)
        saving.changes.touch()
        saving.autosave.now.set()
        # Once, with what somebody did until then.
        await saving.rests(3)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_one_that_fails_is_made_again_as_if_something_had_changed(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        await saving.rests(2)
        saving.emulator.status = 500
        saving.autosave.now.set()
        await saving.exports(6)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_what_an_export_takes_sets_the_pace(state: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "_PAUSE_FACTOR", 1e9)

    async def scenario(saving: Saving) -> None:
        saving.emulator.changing = True
        await saving.rests(1)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_a_disk_that_cannot_be_written_is_said_and_not_the_end(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        directory = state.data / "firestore"
        directory.write_text("no directory")
        await saving.until(lambda: saving.said)
        directory.unlink()
        await saving.rests(2)
        assert len(saving.said) == 1
        assert "File exists" in saving.said[0]

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_a_job_that_goes_on_is_saved_all_the_time(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.emulator.changing = True
        await saving.exports(20)

    _save(state, scenario)


@pytest.mark.usefixtures("quick")
def test_while_the_emulator_is_away_nothing_is_tried_and_a_failure_is_said_once(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.usable = False
        saving.autosave.now.set()
        await saving.rests(0)
        saving.emulator.status, saving.emulator.writes = 500, False
        saving.usable = True
        await saving.exports(5)
        assert len(saving.said) == 1
        assert saving.said[0].startswith("The library could not be saved: the emulator answered 500")
        saving.emulator.status, saving.emulator.writes = 200, True
        await saving.until(lambda: (state.data / "firestore" / "latest").exists())
        saving.emulator.status = 500
        saving.autosave.now.set()
        await saving.until(lambda: len(saving.said) == 2)

    _save(state, scenario)
