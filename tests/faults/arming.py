"""Failpoints of a running stack: which boundaries its functions pass, and killing them there.

See shared/failpoints.py.
"""

from __future__ import annotations

from tests.stack import Stack


class Failpoints:
    def __init__(self, stack: Stack, *functions: str) -> None:
        self._directories = {name: stack.failpoints / name for name in functions}
        for directory in self._directories.values():
            directory.mkdir(parents=True, exist_ok=True)

    def record(self) -> None:
        """From now on every boundary that is passed is noted."""
        for directory in self._directories.values():
            (directory / "record").touch()

    def passed(self) -> dict[str, list[str]]:
        """By function: what was passed since, each once, in order; notes no more."""
        found = {}
        for name, directory in self._directories.items():
            found[name] = list(dict.fromkeys((directory / "record").read_text().splitlines()))
            (directory / "record").unlink()
        return found

    def arm(self, function: str, boundary: str) -> None:
        (self._directories[function] / boundary).touch()

    def armed(self, function: str) -> set[str]:
        """Its boundaries that still wait to be passed."""
        return {path.name for path in self._directories[function].iterdir()} - {"record"}

    def disarm(self) -> None:
        for directory in self._directories.values():
            for path in directory.iterdir():
                path.unlink(missing_ok=True)
