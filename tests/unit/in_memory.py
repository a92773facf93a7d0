"""A database in memory that keeps Firestore's preconditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp.documents import Commit, Committed, Snapshot
from shared.gcp.firestore import Firestore


@dataclass(frozen=True, slots=True)
class _Document:
    data: Mapping[str, Any]
    update_time: datetime


class InMemory(Firestore):
    """Documents by path.

    ``meanwhile``: called once, between the next read and the write after it. ``unavailable``: reads fail.
    """

    def __init__(self) -> None:
        super().__init__(Config())
        self._documents: dict[str, _Document] = {}
        self._writes = 0
        self.meanwhile: Callable[[], object] | None = None
        self.unavailable = False

    def __getitem__(self, path: str) -> dict[str, Any]:
        return dict(self._documents[path].data)

    def __setitem__(self, path: str, data: Mapping[str, Any]) -> None:
        self._writes += 1
        self._documents[path] = _Document(dict(data), datetime.fromtimestamp(self._writes, UTC))

    def read(self, *paths: str, fields: Sequence[str] | None = None) -> list[Snapshot]:
        if self.unavailable:
            raise Transient("The database did not answer in time.")
        found = [self._snapshot(path) for path in paths]
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return found

    def query(self, collection: str, *_: Any, **__: Any) -> Iterator[Snapshot]:
        """All documents of a collection. Conditions are not kept."""
        if self.unavailable:
            raise Transient("The database did not answer in time.")
        paths = sorted(path for path in self._documents if path.rsplit("/", 1)[0] == collection)
        yield from (self._snapshot(path) for path in paths)

    def count(self, collection: str, *_: Any, **__: Any) -> int:
        return len(list(self.query(collection)))

    def commit(self) -> Commit:
        return _Commit(self)

    def _snapshot(self, path: str) -> Snapshot:
        found = self._documents.get(path)
        return Snapshot(path, None, None) if found is None else Snapshot(path, found.data, found.update_time)


class _Commit(Commit):
    """Writes of whole documents."""

    def __init__(self, db: InMemory) -> None:
        self._db = db
        #: A document as it has to be, and its new fields. None deletes it.
        self._puts: list[tuple[Snapshot, Mapping[str, Any] | None]] = []

    def __len__(self) -> int:
        return len(self._puts)

    def create(self, path: str, data: Mapping[str, Any]) -> Self:
        return self.put(Snapshot(path, None, None), data)

    def set(self, path: str, data: Mapping[str, Any], *, merge: bool = False) -> Self:
        found = self._db._snapshot(path)
        return self.put(found if merge else Snapshot(path, None, found.update_time), data)

    def update(self, path: str, data: Mapping[str, Any], *, unchanged_since: datetime | None = None) -> Self:
        found = self._db._snapshot(path)
        if found.data is None:
            raise Conflict("Too many changes at the same time. Try again.")
        return self.put(Snapshot(path, found.data, unchanged_since or found.update_time), data)

    def add(self, path: str, amounts: Mapping[str, int]) -> Self:
        found = self._db._snapshot(path)
        known = found.data or {}
        return self.put(found, {name: known.get(name, 0) + more for name, more in amounts.items()})

    def delete(self, path: str, *, unchanged_since: datetime | None = None) -> Self:
        found = self._db._snapshot(path)
        self._puts.append((Snapshot(path, found.data, unchanged_since or found.update_time), None))
        return self

    def put(self, read: Snapshot, data: Mapping[str, Any]) -> Self:
        self._puts.append((read, data))
        return self

    def run(self) -> Committed:
        for read, _ in self._puts:
            if self._db._snapshot(read.path).update_time != read.update_time:
                raise Conflict("Too many changes at the same time. Try again.")
        for read, data in self._puts:
            if data is None:
                self._db._documents.pop(read.path, None)
            else:
                self._db[read.path] = {**(read.data or {}), **data}
        first = self._db._snapshot(self._puts[0][0].path) if self._puts else None
        return Committed(first.update_time if first else None, [])
