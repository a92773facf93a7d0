"""Exports of the Firestore emulator: kept when something changed, whole or not at all."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local import persistence
from infra.local.persistence import ExportFailed, Exports
from infra.local.state_dir import StateDir
from tests.unit.exports_support import Emulator, run


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

    run(state, scenario)


def test_what_has_not_changed_is_thrown_away(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        assert not await exports.save(address)
        assert exports.latest() == latest
        assert emulator.exports == 2
        assert _kept(state) == 1

    run(state, scenario)


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

    run(state, scenario)


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
        # And leaves nothing.
        assert _kept(state) == 1

    run(state, scenario)
    with pytest.raises(ExportFailed, match="does not answer"):
        asyncio.run(Exports(state, "yts-local").save("127.0.0.1:9"))


def test_when_the_pointer_cannot_be_written_nothing_is_left_and_what_was_saved_remains(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        emulator.documents = {"output-0": b"two"}
        monkeypatch.setattr(persistence, "write_whole", full)
        for _ in range(2):
            with pytest.raises(ExportFailed, match="No space left on device"):
                await exports.save(address)
        assert exports.latest() == latest
        assert _kept(state) == 1

    run(state, scenario)


def test_an_export_that_cannot_be_read_is_followed_by_another(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(one: Path, other: Path, *, shallow: bool) -> bool:
        raise OSError(5, "Input/output error")

    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        monkeypatch.setattr("filecmp.cmp", unreadable)
        assert await exports.save(address)
        assert exports.latest() != latest

    run(state, scenario)


def test_what_cannot_be_cleared_away_does_not_undo_what_was_saved(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        await exports.save(address)
        latest = exports.latest()
        emulator.documents = {"output-0": b"two"}

        def no_list(self: Path, pattern: str) -> list[Path]:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patch:
            patch.setattr(exports, "latest", lambda: latest)
            patch.setattr(Path, "glob", no_list)
            assert await exports.save(address)
        assert exports.latest() not in (None, latest)

    run(state, scenario)


def test_a_half_export_of_a_killed_run_is_not_imported_and_is_cleared_away(state: StateDir) -> None:
    half = state.data / "firestore" / "export-1"
    half.mkdir(parents=True)
    (half / "output-0").write_bytes(b"ha")

    async def scenario(emulator: Emulator, exports: Exports, address: str) -> None:
        assert exports.latest() is None
        await exports.save(address)
        assert not half.exists()

    run(state, scenario)


def test_a_pointer_to_nothing_is_as_no_export(state: StateDir) -> None:
    (state.data / "firestore").mkdir()
    for pointer in (b"export-1", b"\xff\xfe"):
        (state.data / "firestore" / "latest").write_bytes(pointer)
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

    run(state, scenario)
