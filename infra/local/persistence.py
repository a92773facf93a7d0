"""The Firestore emulator keeps everything in memory: exported while it runs, imported at its start.

An export of 3,000 videos takes half a second and 50 MB, and two exports with nothing written in
between have equal contents; so what has not changed is thrown away before it ever reaches the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from infra.local.state_dir import StateDir, write_whole

#: Seconds between two exports. What a job does can be done again: while it goes on, a small library is saved
#: every other second, a large one as often as a fiftieth of one core allows, but at least every 45 seconds.
_SHORTEST_PAUSE, _LONGEST_PAUSE, _PAUSE_FACTOR = 2.0, 45.0, 50.0
#: What a person does is known to nobody else: it is saved after twice what the last export took.
_PROMPT_FACTOR = 2.0
#: What the pause grows by after each export that finds nothing new.
_GROWTH = 2.0
#: How often it is asked whether a person did anything.
_LOOK_SECONDS = 0.5
_TIMEOUT = aiohttp.ClientTimeout(total=120)


class ExportFailed(RuntimeError):
    """Nothing was saved; the message says why."""


def pause_after(seconds: float) -> float:
    """How long to wait after an export that took so many seconds."""
    return min(max(_SHORTEST_PAUSE, seconds * _PAUSE_FACTOR), _LONGEST_PAUSE)


def next_pause(last: float, usual: float, changed: bool) -> float:
    """The usual one after an export that found something new, else twice the longer of both, up to 45 s."""
    return usual if changed else min(_GROWTH * max(last, usual), _LONGEST_PAUSE)


class Exports:
    """The exports of one state directory: the latest, and the one before it, in case of need."""

    def __init__(self, state: StateDir, project: str) -> None:
        self._directory = state.data / "firestore"
        self._pointer = self._directory / "latest"
        self._project = project
        self._lock = asyncio.Lock()

    def latest(self) -> Path | None:
        """The metadata file that the emulator imports, or None before the first export.

        A machine that loses its power may leave the pointer, or what it names, empty: then the newest
        export that is whole. Beginning with nothing would be the end of the library, because the next
        export takes the place of all others.
        """
        try:
            names = [self._pointer.read_text(encoding="utf-8", errors="replace").strip()]
        except FileNotFoundError:
            names = []
        names += sorted((path.name for path in self._directory.glob("export-*")), reverse=True)
        for name in names:
            metadata = self._directory / name / f"{name}.overall_export_metadata"
            # The emulator writes it last.
            if name and metadata.is_file() and metadata.stat().st_size:
                return metadata
        return None

    async def save(self, emulator: str) -> bool:
        """Exports; whether anything had changed.

        Raises:
            ExportFailed
        """
        async with self._lock:
            name = f"export-{time.time_ns()}"
            try:
                return await self._save(emulator, name)
            except ExportFailed:
                # It is tried again soon: what is left of each would fill the disk.
                await asyncio.to_thread(shutil.rmtree, self._directory / name, ignore_errors=True)
                raise

    async def _save(self, emulator: str, name: str) -> bool:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            before = self.latest()
            await self._export(emulator, name)
            return await asyncio.to_thread(self._keep, name, before)
        except OSError as error:
            raise ExportFailed(str(error)) from error

    async def _export(self, emulator: str, name: str) -> None:
        body = {
            "database": f"projects/{self._project}/databases/(default)",
            "export_directory": str(self._directory),
            "export_name": name,
        }
        url = f"http://{emulator}/emulator/v1/projects/{self._project}:export"
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(url, json=body) as answer,
            ):
                if answer.status != 200:
                    text = await answer.text(errors="replace")
                    raise ExportFailed(f"the emulator answered {answer.status}: {text[:200]}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ExportFailed(f"the emulator does not answer ({error or type(error).__name__})") from error
        if not (self._directory / name / f"{name}.overall_export_metadata").is_file():
            raise ExportFailed(f"the emulator answered 200, but wrote no {name}.overall_export_metadata")

    def _keep(self, name: str, before: Path | None) -> bool:
        new = self._directory / name
        if before is not None and _same_content(before.parent, new):
            shutil.rmtree(new, ignore_errors=True)
            return False
        # In one step, once everything is there: whatever is interrupted, the pointer names a whole export.
        write_whole(self._pointer, name)
        kept = (name, before.parent.name if before else name)
        # It is saved; what cannot be cleared away now is by the next one.
        with contextlib.suppress(OSError):
            for export in self._directory.glob("export-*"):
                if export.name not in kept:
                    shutil.rmtree(export, ignore_errors=True)
        return True


class Autosave:
    """Exports while a run goes on, until it is cancelled.

    ``usable``: whether the emulator runs. ``changes``: the file that the gateway touches when a person
    may have changed something, see infra/local/gateway.py; a job that goes on is seen by what it
    changes. ``now`` is set for what is worth a save at once.
    """

    def __init__(
        self,
        exports: Exports,
        emulator: str,
        usable: Callable[[], bool],
        changes: Path,
        say: Callable[[str], None],
    ) -> None:
        self._exports, self._emulator, self._usable = exports, emulator, usable
        self._changes, self._say = changes, say
        self._changed_at = 0
        #: Until the next export: the usual while something changes, longer after each in vain.
        self._usual = self._pause = pause_after(0)
        #: The same once a person did something.
        self._prompt = 0.0
        self.now = asyncio.Event()

    async def run(self) -> None:
        failing = False
        while True:
            await self._wait()
            if not self._usable():
                continue
            # What was done until here will be in it.
            self._somebody_changed()
            began = time.monotonic()
            try:
                changed = await self._exports.save(self._emulator)
                failing = False
            except ExportFailed as error:
                # What has changed is still to be saved.
                changed = True
                if not failing:
                    self._say(f"The library could not be saved: {error}. Trying again.")
                failing = True
            took = time.monotonic() - began
            self._usual, self._prompt = pause_after(took), took * _PROMPT_FACTOR
            self._pause = next_pause(self._pause, self._usual, changed)

    async def _wait(self) -> None:
        began = time.monotonic()
        pause = self._pause
        while (left := began + pause - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LOOK_SECONDS)):
                    await self.now.wait()
                break
            if self._somebody_changed():
                self._pause = min(self._pause, self._usual)
                pause = min(pause, self._prompt)
        self.now.clear()

    def _somebody_changed(self) -> bool:
        """Since this was asked the last time."""
        before = self._changed_at
        with contextlib.suppress(FileNotFoundError):
            self._changed_at = self._changes.stat().st_mtime_ns
        return self._changed_at != before


def _same_content(one: Path, other: Path) -> bool:
    """Whether two exports hold the same documents: their output files, names and metadata aside.

    One that cannot be read is not the same: another takes its place.
    """
    try:
        files = [_outputs(one), _outputs(other)]
        return files[0].keys() == files[1].keys() and all(
            filecmp.cmp(path, files[1][name], shallow=False) for name, path in files[0].items()
        )
    except OSError:
        return False


def _outputs(export: Path) -> dict[str, Path]:
    return {path.relative_to(export).as_posix(): path for path in export.rglob("output-*") if path.is_file()}
