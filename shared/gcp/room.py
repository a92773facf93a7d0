"""Whether the database has room for more.

Only the database of a local run can be full: its emulator keeps all documents in memory, and ends when that
is full. The run then has made a file with a sentence for people. Looking for it takes some microseconds.
"""

from __future__ import annotations

from pathlib import Path

from shared.config import Config
from shared.errors import Full


class Room:
    """``file``: where the local run says that there is no room. None: there always is."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file

    @classmethod
    def from_config(cls, config: Config) -> Room:
        return cls(config.storage_full_file if config.local else None)

    def lack(self) -> str | None:
        """Why nothing more can be stored, and what to do. None while there is room."""
        try:
            return self._file.read_text(encoding="utf-8").strip() if self._file else None
        except FileNotFoundError:
            return None

    def require(self) -> None:
        """Raises Full when there is no room."""
        if lack := self.lack():
            raise Full(lack)
