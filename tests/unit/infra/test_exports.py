"""infra/local/persistence.py: exports are whole or absent, and the last two are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from infra.local.persistence import ExportFailed, Exports
from infra.local.state_dir import StateDir
from tests.unit.infra.fake_firestore import Emulator, run


def _kept(state: StateDir) -> list[bytes]:
    """The contents of all exports on the disk, oldest first."""
    exports = sorted((state.data / "firestore").glob("export-*/all/output-0"))
    return [output.read_bytes() for output in exports]


def _unreachable(state: StateDir) -> Exports:
    return Exports(state, "yts-local", "127.0.0.1:9")


def _content(export: Path | None) -> bytes:
    """The content of an export, by its metadata file."""
    assert export is not None
    return (export.parent / "all" / "output-0").read_bytes()


def test_before_the_first_export_there_is_none_to_import(state: StateDir) -> None:
    assert _unreachable(state).latest() is None


def test_the_next_start_imports_the_export(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        latest = _unreachable(state).latest()
        assert _content(latest) == b"one"
        assert latest is not None
        assert latest.read_text() == "metadata"

    run(state, scenario)


def test_an_empty_emulator_loads_the_latest_export(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.load()
        assert emulator.imported == []
        await exports.save()
        await exports.load()
        assert emulator.imported == [str(exports.latest())]
        emulator.status = 500
        with pytest.raises(ExportFailed, match="answered 500"):
            await exports.load()

    run(state, scenario)


def test_the_last_two_exports_are_kept(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        for content, kept in ((b"one", [b"one"]), (b"two", [b"one", b"two"]), (b"three", [b"two", b"three"])):
            emulator.content = content
            await exports.save()
            assert _kept(state) == kept

    run(state, scenario)


@pytest.mark.parametrize(
    ("status", "metadata", "message"),
    [(500, "metadata", "answered 500"), (200, "", "is not complete")],
    ids=["refused", "cut off by a full disk"],
)
def test_a_failed_export_leaves_nothing_and_the_latest_remains(
    status: int, metadata: str, message: str, state: StateDir
) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        latest = exports.latest()
        emulator.content, emulator.status, emulator.metadata = b"two", status, metadata
        for _ in range(2):
            with pytest.raises(ExportFailed, match=message):
                await exports.save()
        assert exports.latest() == latest
        assert _kept(state) == [b"one"]

    run(state, scenario)


def test_an_emulator_that_does_not_answer_is_a_failed_export(state: StateDir) -> None:
    with pytest.raises(ExportFailed, match="does not answer"):
        asyncio.run(_unreachable(state).save())


def test_when_the_pointer_cannot_be_written_the_latest_export_remains(state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        latest = exports.latest()
        # A directory cannot be replaced by a file.
        pointer = state.data / "firestore" / "latest"
        pointer.unlink()
        pointer.mkdir()
        emulator.content = b"two"
        with pytest.raises(ExportFailed, match="Is a directory"):
            await exports.save()
        assert exports.latest() == latest
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


def test_an_old_export_that_cannot_be_removed_does_not_prevent_a_new_one(state: StateDir) -> None:
    # Removing a directory fails for a file.
    not_removed = state.data / "firestore" / "export-0"
    not_removed.parent.mkdir()
    not_removed.touch()

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        for content in (b"one", b"two"):
            emulator.content = content
            await exports.save()
        assert not_removed.exists()
        assert _content(exports.latest()) == b"two"

    run(state, scenario)


def test_the_partial_export_of_a_killed_run_is_not_imported_but_removed(state: StateDir) -> None:
    partial = state.data / "firestore" / "export-1"
    (partial / "all").mkdir(parents=True)
    (partial / "all" / "output-0").write_bytes(b"on")

    async def scenario(emulator: Emulator, exports: Exports) -> None:
        assert exports.latest() is None
        await exports.save()
        assert not partial.exists()

    run(state, scenario)


@pytest.mark.parametrize("damage", ["empty pointer", "pointer of zeros", "empty metadata", "no metadata"])
def test_after_a_power_loss_the_newest_whole_export_is_imported(damage: str, state: StateDir) -> None:
    async def scenario(emulator: Emulator, exports: Exports) -> None:
        await exports.save()
        before = exports.latest()
        await exports.save()
        latest = exports.latest()
        assert latest is not None
        assert before is not None
        if "pointer" in damage:
            content = bytes(26) if "zeros" in damage else b""
            (state.data / "firestore" / "latest").write_bytes(content)
            expected = latest
        else:
            expected = before
            if damage == "empty metadata":
                latest.write_text("")
            else:
                latest.unlink()
        assert exports.latest() == expected
        # The next export does not remove it.
        await exports.save()
        assert expected.is_file()

    run(state, scenario)
