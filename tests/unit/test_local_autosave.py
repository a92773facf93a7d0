"""When a run saves the library while it goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from infra.local import persistence
from infra.local.persistence import Autosave, Exports
from infra.local.state_dir import StateDir
from tests.unit.exports_support import Emulator, run

#: Exports that follow one request.
AFTER_A_REQUEST = 2


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(persistence, "_REST", 0)


class Saving:
    """An Autosave at work, and the messages of it. In a loop only."""

    def __init__(self, emulator: Emulator, exports: Exports, state: StateDir) -> None:
        self.emulator = emulator
        self.changes = state.changes
        self.usable = True
        self.said: list[str] = []
        self.autosave = Autosave(exports.save, lambda: self.usable, self.changes, self.said.append)
        self.task = asyncio.create_task(self.autosave.run())

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)

    async def rests(self, number: int) -> None:
        """After so many exports, though some time passes."""
        await self.until(lambda: self.emulator.exports >= number)
        await asyncio.sleep(0.3)
        assert self.emulator.exports == number

    async def end(self) -> None:
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


def _save(state: StateDir, scenario: Callable[[Saving], Awaitable[None]]) -> None:
    async def save(emulator: Emulator, exports: Exports) -> None:
        saving = Saving(emulator, exports, state)
        try:
            await scenario(saving)
        finally:
            await saving.end()

    run(state, save)


def test_an_idle_run_exports_nothing(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        await saving.rests(0)
        saving.changes.touch()
        await saving.rests(AFTER_A_REQUEST)

    _save(state, scenario)


def test_what_a_function_writes_just_after_its_answer_is_saved(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.changes.touch()
        await saving.until(lambda: saving.emulator.exports == 1)
        saving.emulator.content = b"afterwards"
        await saving.rests(AFTER_A_REQUEST)
        latest = (state.data / "firestore" / "latest").read_text()
        output = state.data / "firestore" / latest / "all" / "output-0"
        assert output.read_bytes() == b"afterwards"

    _save(state, scenario)


def test_while_requests_go_on_exports_go_on(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        while saving.emulator.exports < 10 * AFTER_A_REQUEST:
            saving.changes.touch()
            await asyncio.sleep(0.005)

    _save(state, scenario)


@pytest.mark.parametrize(("every", "rest"), [(1000.0, 0), (0.01, 100_000)])
def test_there_is_a_pause_between_exports_however_often_something_changes(
    every: float, rest: int, state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(saving: Saving) -> None:
        saving.changes.touch()
        await saving.until(lambda: saving.emulator.exports == 1)
        monkeypatch.setattr(persistence, "EVERY_SECONDS", every)
        monkeypatch.setattr(persistence, "_REST", rest)
        before = saving.emulator.exports + 1
        for _ in range(10):
            saving.changes.touch()
            await asyncio.sleep(0.03)
        assert saving.emulator.exports <= before

    _save(state, scenario)


def test_a_failed_export_is_said_once_and_tried_again(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.emulator.status = 500
        saving.changes.touch()
        await saving.until(lambda: saving.emulator.exports > 5 * AFTER_A_REQUEST)
        assert len(saving.said) == 1
        assert saving.said[0].startswith("The library could not be saved: the emulator answered 500")
        saving.emulator.status = 200
        await saving.until(lambda: (state.data / "firestore" / "latest").exists())
        await asyncio.sleep(0.3)
        saving.emulator.status = 500
        saving.changes.touch()
        await saving.until(lambda: len(saving.said) == 2)

    _save(state, scenario)


def test_a_disk_that_cannot_be_written_is_said_and_does_not_end_the_run(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        directory = state.data / "firestore"
        directory.write_text("no directory")
        saving.changes.touch()
        await saving.until(lambda: saving.said)
        assert "File exists" in saving.said[0]
        directory.unlink()
        await saving.rests(AFTER_A_REQUEST)
        assert len(saving.said) == 1

    _save(state, scenario)


def test_while_the_emulator_does_not_run_nothing_is_tried_and_no_change_is_forgotten(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        saving.usable = False
        saving.changes.touch()
        await saving.rests(0)
        saving.usable = True
        await saving.rests(AFTER_A_REQUEST)
        assert saving.said == []

    _save(state, scenario)
