"""infra/local/persistence.py: when a run saves the library."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable

import pytest

from infra.local.persistence import Autosave, Exports, note_change
from infra.local.state_dir import StateDir
from tests.unit.infra.fake_firestore import Emulator, run

#: The exports that follow one request.
AFTER_A_REQUEST = 2


class Saving:
    """An Autosave at work, and the lines that it prints."""

    def __init__(
        self, emulator: Emulator, exports: Exports, state: StateDir, interval: float, rest: float
    ) -> None:
        self.emulator = emulator
        self.changes = state.changes
        self.usable = True
        self.said: list[str] = []
        usable, say = (lambda: self.usable), self.said.append
        self.autosave = Autosave(exports.save, usable, self.changes, say, interval, rest)
        self.task = asyncio.create_task(self.autosave.run())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)

    async def exports_no_more_than(self, count: int) -> None:
        """Waits for this many exports, and checks that no more follow."""
        await self.until(lambda: self.emulator.exports >= count)
        await asyncio.sleep(0.3)
        assert self.emulator.exports == count

    async def end(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def _autosave(
    state: StateDir,
    scenario: Callable[[Saving], Awaitable[None]],
    interval: float = 0.01,
    rest: float = 0,
) -> None:
    async def save(emulator: Emulator, exports: Exports) -> None:
        saving = Saving(emulator, exports, state, interval, rest)
        try:
            await scenario(saving)
        finally:
            await saving.end()

    run(state, save)


def test_a_run_without_requests_exports_nothing(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        await saving.exports_no_more_than(0)
        note_change(saving.changes)
        await saving.exports_no_more_than(AFTER_A_REQUEST)

    _autosave(state, scenario)


def test_a_save_is_needed_from_a_change_until_it_is_saved(state: StateDir) -> None:
    note_change(state.changes)

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        autosave = Autosave(exports.save, lambda: True, state.changes, lambda text: None, 0.01, 0)
        # That was in an earlier run.
        assert not autosave.needed()
        os.utime(state.changes, ns=(1, 1))
        assert autosave.needed()

    run(state, scenario)

    async def saved(saving: Saving) -> None:
        note_change(saving.changes)
        await saving.exports_no_more_than(AFTER_A_REQUEST)
        assert not saving.autosave.needed()

    _autosave(state, saved)


def test_changes_shortly_after_an_answer_are_saved(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        note_change(saving.changes)
        await saving.until(lambda: saving.emulator.exports == 1)
        saving.emulator.content = b"afterwards"
        await saving.exports_no_more_than(AFTER_A_REQUEST)
        latest = (state.data / "firestore" / "latest").read_text()
        output = state.data / "firestore" / latest / "all" / "output-0"
        assert output.read_bytes() == b"afterwards"

    _autosave(state, scenario)


def test_exports_go_on_while_requests_go_on(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        while saving.emulator.exports < 10 * AFTER_A_REQUEST:
            note_change(saving.changes)
            await asyncio.sleep(0.005)

    _autosave(state, scenario)


@pytest.mark.parametrize(
    ("interval", "rest"), [(0.2, 0), (0.01, 10)], ids=["the interval", "a multiple of the last duration"]
)
def test_there_is_a_pause_between_exports_however_often_something_changes(
    interval: float, rest: float, state: StateDir
) -> None:
    async def scenario(saving: Saving) -> None:
        saving.emulator.seconds = 0.05
        loop = asyncio.get_running_loop()
        began = loop.time()
        while saving.emulator.exports < 4:
            note_change(saving.changes)
            await asyncio.sleep(0.005)
        # Three pauses of 0.2 s, or of ten times 0.05 s.
        assert loop.time() - began >= 0.6

    _autosave(state, scenario, interval, rest)


def test_a_series_of_failed_exports_is_printed_once(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.emulator.status = 500
        note_change(saving.changes)
        await saving.until(lambda: saving.emulator.exports > 5 * AFTER_A_REQUEST)
        assert len(saving.said) == 1
        assert saving.said[0].startswith("The library could not be saved: the emulator answered 500")
        saving.emulator.status = 200
        await saving.until(lambda: (state.data / "firestore" / "latest").exists())
        await asyncio.sleep(0.3)
        saving.emulator.status = 500
        note_change(saving.changes)
        await saving.until(lambda: len(saving.said) == 2)

    _autosave(state, scenario)


def test_an_unwritable_disk_is_reported_and_does_not_end_the_run(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        directory = state.data / "firestore"
        directory.write_text("a file in the place of the directory")
        note_change(saving.changes)
        await saving.until(lambda: saving.said)
        assert "File exists" in saving.said[0]
        directory.unlink()
        await saving.exports_no_more_than(AFTER_A_REQUEST)
        assert len(saving.said) == 1

    _autosave(state, scenario)


def test_changes_are_saved_once_the_emulator_runs_again(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.usable = False
        note_change(saving.changes)
        await saving.exports_no_more_than(0)
        saving.usable = True
        await saving.exports_no_more_than(AFTER_A_REQUEST)
        assert saving.said == []

    _autosave(state, scenario)
