"""Saves the Firestore emulator's data, which it keeps in memory only.

A run exports the data while it changes and once when it stops. The next start imports the latest export.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import aiohttp

from infra.local.state_dir import StateDir, write_whole

#: Seconds between two exports while something changes. An export of 3,000 videos takes half a second.
EVERY_SECONDS = 5.0
#: The pause is at least this many times the duration of the last export, however large the library is.
_REST = 4
#: Exports after a request. One is not enough, because a function may write a moment after its answer.
_EXPORTS_AFTER_A_REQUEST = 2
_TIMEOUT = aiohttp.ClientTimeout(total=120)


class ExportFailed(RuntimeError):
    """Nothing was saved, or not everything was loaded. The message says why."""


def note_change(changes: Path | None) -> None:
    """Touches the file that :class:`Autosave` looks at, after a request that may have changed something.

    If this fails, the change is saved with the next one, or when the run stops.
    """
    if changes:
        with contextlib.suppress(OSError):
            changes.touch()


class Exports:
    """The exports of the emulator at HOST:PORT. The last two are kept, in case the latest is damaged."""

    def __init__(self, state: StateDir, project: str, emulator: str) -> None:
        self._directory = state.data / "firestore"
        self._pointer = self._directory / "latest"
        self._project, self._emulator = project, emulator

    def latest(self) -> Path | None:
        """The metadata file of the export to import, or None before the first export.

        A power loss may damage the pointer or the export that it names. Then this is the newest whole export.
        Without one the emulator would start empty, and the next export would replace the others.
        """
        try:
            names = [self._pointer.read_text(encoding="utf-8", errors="replace").strip()]
        except OSError:
            names = []
        names += sorted((path.name for path in self._directory.glob("export-*")), reverse=True)
        return next(filter(None, map(self._whole, names)), None)

    def megabytes(self) -> int:
        """The size of the export to import; 0 without one."""
        latest = self.latest()
        files = latest.parent.rglob("*") if latest else ()
        return sum(path.stat().st_size for path in files) // 2**20

    async def save(self) -> None:
        """Makes a new export, and makes it the latest once it is whole. A failure leaves nothing behind.

        Raises:
            ExportFailed
        """
        name = f"export-{time.time_ns()}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            before = self.latest()
            await self._export(name)
            write_whole(self._pointer, name)
        except BaseException as error:
            shutil.rmtree(self._directory / name, ignore_errors=True)
            if isinstance(error, OSError):
                raise ExportFailed(str(error)) from error
            raise
        kept = (name, before.parent.name if before else name)
        # An export that cannot be removed now is removed after the next one.
        with contextlib.suppress(OSError):
            for export in self._directory.glob("export-*"):
                if export.name not in kept:
                    shutil.rmtree(export, ignore_errors=True)

    async def load(self) -> None:
        """Loads the latest export into an emulator that is empty.

        Raises:
            ExportFailed
        """
        if latest := self.latest():
            await self._ask("import", {"export_directory": str(latest)})

    async def _export(self, name: str) -> None:
        body = {"export_directory": str(self._directory), "export_name": name}
        await self._ask("export", body)
        if self._whole(name) is None:
            raise ExportFailed("the emulator answered 200, but the export is not complete")

    async def _ask(self, what: str, body: Mapping[str, str]) -> None:
        url = f"http://{self._emulator}/emulator/v1/projects/{self._project}:{what}"
        database = {"database": f"projects/{self._project}/databases/(default)"}
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.post(url, json={**database, **body}) as answer,
            ):
                if answer.status != 200:
                    text = await answer.text(errors="replace")
                    raise ExportFailed(f"the emulator answered {answer.status}: {text[:200]}")
        except (aiohttp.ClientError, OSError) as error:
            raise ExportFailed(f"the emulator does not answer ({error!r})") from error

    def _whole(self, name: str) -> Path | None:
        """The metadata file of an export that is complete. The emulator writes this file last."""
        metadata = self._directory / name / f"{name}.overall_export_metadata"
        return metadata if metadata.is_file() and metadata.stat().st_size else None


class Autosave:
    """Exports while something may have changed, until it is cancelled.

    ``usable()`` returns whether the emulator runs. ``changes`` is the file of :func:`note_change`. Calls of
    schedules do not touch it: after a crash the next one makes the same changes again.
    """

    def __init__(
        self,
        save: Callable[[], Awaitable[None]],
        usable: Callable[[], bool],
        changes: Path,
        say: Callable[[str], None],
        interval: float = EVERY_SECONDS,
        rest: float = _REST,
    ) -> None:
        self._save, self._usable, self._changes, self._say = save, usable, changes, say
        self._interval, self._rest = interval, rest
        self._due = 0
        self._touched_at = 0
        # Changes of an earlier run were saved, or are lost.
        self._was_touched()

    def needed(self) -> bool:
        """Whether something may have changed since the last export."""
        return self._was_touched() or self._due > 0

    async def run(self) -> None:
        duration, failing = 0.0, False
        while True:
            await asyncio.sleep(max(self._interval, self._rest * duration))
            if self._was_touched():
                self._due = _EXPORTS_AFTER_A_REQUEST
            if not self._due or not self._usable():
                continue
            began = time.monotonic()
            try:
                await self._save()
                self._due, failing = self._due - 1, False
            except ExportFailed as error:
                # A series of failures is printed once.
                if not failing:
                    self._say(f"The library could not be saved: {error}. Trying again.")
                failing = True
            duration = time.monotonic() - began

    def _was_touched(self) -> bool:
        """Whether the file was touched since the last call."""
        before = self._touched_at
        with contextlib.suppress(FileNotFoundError):
            self._touched_at = self._changes.stat().st_mtime_ns
        return self._touched_at != before
