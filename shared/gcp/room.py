"""Whether the database has room for more, and has all of its documents.

Only the database of a local run lacks either: its emulator keeps all documents in memory, and ends when that
is full. When it starts again, it is empty until it has loaded the last save. The run makes a file for each
of the two. Looking for one takes some microseconds.
"""

from __future__ import annotations

from pathlib import Path

from shared.config import Config
from shared.errors import Full, Transient


class Room:
    """``file``: where the local run says that there is no room. ``loading``: exists while it loads documents.

    None: that never happens.
    """

    def __init__(self, file: Path | None = None, loading: Path | None = None) -> None:
        self._file, self._loading = file, loading

    @classmethod
    def from_config(cls, config: Config) -> Room:
        return cls(config.storage_full_file, config.storage_loading_file) if config.local else cls()

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

    def require_loaded(self) -> None:
        """Raises Transient while documents seem to be missing."""
        if self._loading and self._loading.exists():
            raise Transient("The library is being loaded.")
