"""A Firestore document in memory, for processes that share one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from shared.documents import Conflict, Snapshot

NOW = 1_000_000.0


class Document:
    """A document in memory. ``meanwhile``: called once, between a read and the write after it."""

    def __init__(self) -> None:
        self.data: dict[str, Any] | None = None
        self.now = NOW
        self.meanwhile: Callable[[], object] | None = None
        self._version = 0

    def read(self, path: str) -> list[Snapshot]:
        data = None if self.data is None else dict(self.data)
        found = Snapshot(path, data, datetime.fromtimestamp(self._version, UTC))
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return [found]

    def create(self, _: str, fields: Mapping[str, Any]) -> Document:
        return self.update("", fields, unchanged_since=datetime.fromtimestamp(0, UTC))

    def update(self, _: str, fields: Mapping[str, Any], *, unchanged_since: datetime) -> Document:
        if unchanged_since.timestamp() != self._version:
            raise Conflict("changed meanwhile")
        self.data, self._version = (self.data or {}) | dict(fields), self._version + 1
        return self

    def run(self) -> None:
        pass
