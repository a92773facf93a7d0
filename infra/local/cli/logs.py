"""`logs [NAME] [-f]`: shows the log of one component, or the ends of all logs."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from infra.local.state_dir import StateDir

_LAST_LINES = 10


class Tail:
    """Reads the lines that are added to a file, also after another file has replaced it."""

    def __init__(self, path: Path, from_end: bool = False) -> None:
        self._path = path
        self._inode = 0
        self._position = 0
        self._rest = ""
        if from_end:
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                self._inode, self._position = status.st_ino, status.st_size

    def new_lines(self) -> list[str]:
        """The complete lines that were added since the last call."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._position:
                    self._inode, self._position, self._rest = status.st_ino, 0, ""
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return []
        self._position += len(data)
        *lines, self._rest = (self._rest + data.decode("utf-8", errors="replace")).split("\n")
        return lines


def show(state: StateDir, name: str | None, follow: bool) -> int:
    """Prints one log, or the last lines of all with their names in front. Returns the exit code."""
    logs = {path.stem: path for path in sorted(state.logs.glob("*.log"))}
    if name and name not in logs:
        known = ", ".join(logs) or "none yet"
        print(f"expected the name of a log ({known}), found {name!r}", file=sys.stderr)
        return 2
    chosen = {name: logs[name]} if name else logs
    tails = {each: Tail(path, from_end=True) for each, path in chosen.items()}
    for each, path in chosen.items():
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines if name else lines[-_LAST_LINES:]:
            print(line if name else f"{each:<14} {line}")
    while follow:
        for each, tail in tails.items():
            for line in tail.new_lines():
                print(line if name else f"{each:<14} {line}", flush=True)
        time.sleep(0.2)
    return 0
