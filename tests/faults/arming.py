"""Failpoints of a running stack: which boundaries its functions reach, and killing them there.

shared/gcp/failpoints.py says what a boundary is.
"""

from __future__ import annotations

from shared.gcp.failpoints import RECORD
from tests.stack import Stack


class Failpoints:
    """The failpoints of some functions."""

    def __init__(self, stack: Stack, *functions: str) -> None:
        self._directories = {name: stack.failpoints / name for name in functions}
        for directory in self._directories.values():
            directory.mkdir(parents=True, exist_ok=True)

    def record(self) -> None:
        """Begins to record every boundary that is reached."""
        for directory in self._directories.values():
            (directory / RECORD).touch()

    def recorded(self) -> dict[str, list[str]]:
        """For each function, the boundaries that were reached so far, each once, in order."""
        return {
            name: list(dict.fromkeys((directory / RECORD).read_text().splitlines()))
            for name, directory in self._directories.items()
        }

    def end_recording(self) -> None:
        for directory in self._directories.values():
            (directory / RECORD).unlink()

    def arm(self, function: str, boundary: str) -> None:
        """The function dies when it reaches this boundary."""
        (self._directories[function] / boundary).touch()

    def armed(self, function: str) -> set[str]:
        """The armed boundaries that the function has not reached yet."""
        return {path.name for path in self._directories[function].iterdir()} - {RECORD}

    def disarm(self) -> None:
        for directory in self._directories.values():
            for path in directory.iterdir():
                path.unlink(missing_ok=True)
