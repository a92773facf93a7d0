"""Exports of the Firestore emulator: kept when something changed, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from infra.local import persistence
from infra.local.persistence import Autosave, ExportFailed, Exports, pause_after
from infra.local.state_dir import StateDir


class Emulator:
    """Writes exports as the real one does: ``documents`` into output files, beside metadata that differ."""

    def __init__(self) -> None:
        self.documents = {"output-0": b"one"}
        self.status = 200
        self.writes = True
        self.exports = 0
        self.changing = False

    async def export(self, request: web.Request) -> web.Response:
        assert request.path == "/emulator/v1/projects/yts-local:export"
        asked = await request.json()
        assert asked["database"] == "projects/yts-local/databases/(default)"
        self.exports += 1
        if self.changing:
            self.documents = {"output-0": str(self.exports).encode()}
        if self.writes:
            directory = Path(asked["export_directory"]) / asked["export_name"]
            (directory / "all").mkdir(parents=True)
            for name, content in self.documents.items():
                (directory / "all" / name).write_bytes(content)
            (directory / "all" / "all.export_metadata").write_text(asked["export_name"])
            (directory / f"{asked['export_name']}.overall_export_metadata").write_text("metadata")
        return web.Response(status=self.status, text="{}")


Scenario = Callable[[Emulator, Exports, str], Awaitable[None]]


def _run(state: StateDir, scenario: Scenario) -> None:
    async def run() -> None:
        emulator = Emulator()
        application = web.Application()
        application.router.add_post("/{path:.*}", emulator.export)
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            await scenario(emulator, Exports(state, "yts-local"), f"{host}:{port}")
        finally:
            await runner.cleanup()

    asyncio.run(run())


@pytest.fixture
def state(tmp_path: Path) -> StateDir:
    state = StateDir(tmp_path)
    state.make()
    return state


def _kept(state: StateDir) -> int:
    return len(list((state.data / "firestore").glob("export-*")))


def test_before_the_first_export_there_is_nothing_to_import(state: StateDir) -> None:
    assert Exports(state, "yts-local").latest() is None


def test_an_export_is_what_the_next_start_imports(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        assert await exports.save(address)
        latest = exports.latest()
        assert latest is not None
        assert latest.read_text() == "metadata"
        assert (latest.parent / "all" / "output-0").read_bytes() == b"one"
        assert Exports(state, "yts-local").latest() == latest

    _run(state, scenario)


def test_what_has_not_changed_is_thrown_away(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        assert not await exports.save(address)
        assert exports.latest() == latest
        assert emulator.exports == 2
        assert _kept(state) == 1

    _run(state, scenario)


@pytest.mark.parametrize("documents", [{"output-0": b"two"}, {"output-0": b"one", "output-1": b"more"}, {}])
def test_what_has_changed_takes_the_place_and_the_one_before_is_kept(
    documents: dict[str, bytes], state: StateDir
) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        await exports.save(address)
        first = exports.latest()
        emulator.documents = documents
        assert await exports.save(address)
        assert exports.latest() != first
        assert _kept(state) == 2
        emulator.documents = {"output-0": b"three"}
        assert await exports.save(address)
        assert _kept(state) == 2

    _run(state, scenario)


def test_a_failed_export_changes_nothing(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        emulator.status = 500
        with pytest.raises(ExportFailed, match="answered 500"):
            await exports.save(address)
        emulator.status, emulator.writes = 200, False
        with pytest.raises(ExportFailed, match="wrote no export-"):
            await exports.save(address)
        assert exports.latest() == latest

    _run(state, scenario)
    with pytest.raises(ExportFailed, match="does not answer"):
        asyncio.run(Exports(state, "yts-local").save("127.0.0.1:9"))


def test_a_half_export_of_a_killed_run_is_not_imported_and_is_cleared_away(state: StateDir) -> None:
    half = state.data / "firestore" / "export-1"
    half.mkdir(parents=True)
    (half / "output-0").write_bytes(b"ha")

    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        assert exports.latest() is None
        await exports.save(address)
        assert not half.exists()

    _run(state, scenario)


def test_a_pointer_to_nothing_is_as_no_export(state: StateDir) -> None:
    (state.data / "firestore").mkdir()
    (state.data / "firestore" / "latest").write_text("export-1")
    assert Exports(state, "yts-local").latest() is None


@pytest.mark.parametrize("damage", ["pointer", "metadata", "export"])
def test_when_the_latest_export_is_damaged_the_one_before_it_is_imported(
    damage: str, state: StateDir
) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        before = exports.latest()
        emulator.documents = {"output-0": b"two"}
        await exports.save(address)
        latest = exports.latest()
        assert latest is not None
        assert before is not None
        if damage == "pointer":
            # Both are whole: it is the newer one.
            (state.data / "firestore" / "latest").write_text("")
            before = latest
        elif damage == "metadata":
            latest.write_text("")
        else:
            latest.unlink()
        assert exports.latest() == before
        # And it is still there after the next export.
        emulator.documents = {"output-0": b"three"}
        await exports.save(address)
        assert before.is_file()

    _run(state, scenario)


# -- while a run goes on ---------------------------------------------------------------------------


@pytest.mark.parametrize(("took", "pause"), [(0.0, 2.0), (0.04, 2.0), (0.1, 5.0), (0.9, 45.0), (5.0, 45.0)])
def test_an_export_takes_a_fiftieth_of_a_core_and_comes_within_the_minute(took: float, pause: float) -> None:
    assert pause_after(took) == pytest.approx(pause)


class Saving:
    """An Autosave at work, and what it said. In a loop only."""

    def __init__(self, emulator: Emulator, exports: Exports, address: str, state: StateDir) -> None:
        self.emulator = emulator
        self.changes = state.changes
        self.usable = True
        self.said: list[str] = []
        self.autosave = Autosave(exports, address, lambda: self.usable, self.changes, self.said.append)
        self.task = asyncio.create_task(self.autosave.run())

    async def exports(self, number: int) -> None:
        """Until there were so many."""
        async with asyncio.timeout(20):
            while self.emulator.exports < number:
                assert not self.task.done(), self.task
                await asyncio.sleep(0.005)

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
    async def run(emulator: Emulator, exports: Exports, address: str) -> None:
        saving = Saving(emulator, exports, address, state)
        try:
            await scenario(saving)
        finally:
            await saving.end()

    _run(state, run)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exports every hundredth of a second while something changes; ten seconds after one in vain."""
    monkeypatch.setattr(persistence, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(persistence, "_LONGEST_PAUSE", 1000.0)
    monkeypatch.setattr(persistence, "_SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(persistence, "_PAUSE_FACTOR", 0.0)
    monkeypatch.setattr(persistence, "_GROWTH", 1000.0)


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
def test_what_is_worth_it_is_saved_at_once(state: StateDir) -> None:
    async def scenario(saving: Saving) -> None:
        await saving.rests(2)
        saving.autosave.now.set()
        await saving.rests(3)

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
        await saving.rests(0)
        saving.emulator.status, saving.emulator.writes = 500, False
        saving.usable = True
        await saving.exports(5)
        assert len(saving.said) == 1
        assert saving.said[0].startswith("The library could not be saved: the emulator answered 500")
        saving.emulator.status, saving.emulator.writes = 200, True
        async with asyncio.timeout(20):
            while not (state.data / "firestore" / "latest").exists():
                await asyncio.sleep(0.005)
        saving.emulator.status = 500
        saving.autosave.now.set()
        async with asyncio.timeout(20):
            while len(saving.said) < 2:
                await asyncio.sleep(0.005)

    _save(state, scenario)
