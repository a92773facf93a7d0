"""Exports of the Firestore emulator: whole ones only, the latest and the one before it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from infra.local import persistence
from infra.local.persistence import ExportFailed, Exports
from infra.local.state_dir import StateDir
from tests.unit.exports_support import Emulator, run


def _kept(state: StateDir) -> list[bytes]:
    """The contents of all exports on the disk, oldest first."""
    exports = sorted((state.data / "firestore").glob("export-*"))
    return [(export / "all" / "output-0").read_bytes() for export in exports]


def _unreachable(state: StateDir) -> Exports:
    return Exports(state, "yts-local", "127.0.0.1:9")


def test_before_the_first_export_there_is_nothing_to_import(state: StateDir) -> None:
    assert _unreachable(state).latest() is None


def test_an_export_is_what_the_next_start_imports(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        latest = _unreachable(state).latest()
        assert latest is not None
        assert latest.read_text() == "metadata"
        assert (latest.parent / "all" / "output-0").read_bytes() == b"one"

    run(state, scenario)


def test_the_latest_export_and_the_one_before_it_are_kept(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        for content, kept in ((b"one", [b"one"]), (b"two", [b"one", b"two"]), (b"three", [b"two", b"three"])):
            emulator.content = content
            await exports.save()
            assert _kept(state) == kept

    run(state, scenario)


@pytest.mark.parametrize(
    ("status", "metadata", "said"),
    [(500, "metadata", "answered 500"), (200, "", "is not complete")],
    ids=["refused", "cut off by a full disk"],
)
def test_a_failed_export_leaves_nothing_and_the_latest_remains(
    status: int, metadata: str, said: str, state: StateDir
) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        latest = exports.latest()
        emulator.content, emulator.status, emulator.metadata = b"two", status, metadata
        for _ in range(2):
            with pytest.raises(ExportFailed, match=said):
                await exports.save()
        assert exports.latest() == latest
        assert _kept(state) == [b"one"]

    run(state, scenario)


def test_an_emulator_that_does_not_answer_is_a_failed_export(state: StateDir) -> None:
    with pytest.raises(ExportFailed, match="does not answer"):
        asyncio.run(_unreachable(state).save())


def test_when_the_disk_is_too_full_for_the_pointer_the_latest_export_remains(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        emulator.content = b"two"
        monkeypatch.setattr(persistence, "write_whole", full)
        with pytest.raises(ExportFailed, match="No space left on device"):
            await exports.save()
        assert _kept(state) == [b"one"]

    run(state, scenario)


def test_a_cancelled_export_leaves_nothing(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        emulator.seconds = 20.0
        saving = asyncio.create_task(exports.save())
        async with asyncio.timeout(10):
            while len(_kept(state)) < 2:
                await asyncio.sleep(0.005)
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        assert _kept(state) == [b"one"]

    run(state, scenario)


def test_an_old_export_that_cannot_be_removed_does_not_undo_the_new_one(
    state: StateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_removed(path: Path, **_: object) -> None:
        raise OSError(5, "Input/output error")

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        await exports.save()
        emulator.content = b"three"
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "rmtree", not_removed)
            await exports.save()
        assert _kept(state) == [b"one", b"one", b"three"]
        latest = exports.latest()
        assert latest is not None
        assert (latest.parent / "all" / "output-0").read_bytes() == b"three"
        await exports.save()
        assert _kept(state) == [b"three", b"three"]

    run(state, scenario)


def test_a_half_export_of_a_killed_run_is_not_imported_and_is_removed(state: StateDir) -> None:
    half = state.data / "firestore" / "export-1"
    half.mkdir(parents=True)
    (half / "output-0").write_bytes(b"ha")

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        assert exports.latest() is None
        await exports.save()
        assert not half.exists()

    run(state, scenario)


@pytest.mark.parametrize("damage", ["pointer", "pointer of zeros", "metadata", "export"])
def test_after_a_power_loss_the_newest_whole_export_is_imported(damage: str, state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        before = exports.latest()
        await exports.save()
        latest = exports.latest()
        assert latest is not None
        assert before is not None
        if damage.startswith("pointer"):
            content = bytes(26) if "zeros" in damage else b""
            (state.data / "firestore" / "latest").write_bytes(content)
            expected = latest
        else:
            expected = before
            if damage == "metadata":
                latest.write_text("")
            else:
                latest.unlink()
        assert exports.latest() == expected
        # And it is still there after the next export.
        await exports.save()
        assert expected.is_file()

    run(state, scenario)
