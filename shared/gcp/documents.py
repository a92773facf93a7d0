"""Documents of Firestore: as they were read, and the writes of a commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self, TypeVar

from google.cloud.firestore_v1 import Client, Increment, WriteBatch

from shared.gcp.failpoints import Failpoints

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was read. ``data`` is None when the document does not exist."""

    path: str
    data: Mapping[str, Any] | None
    update_time: datetime | None

    @property
    def id(self) -> str:
        return self.path.rsplit("/", 1)[1]

    def read_as(self, kind: type[T], **more: object) -> T | None:
        """The document as a dataclass. None when the document does not exist.

        A field of the class that the document lacks keeps its default; other fields of the document are
        ignored. ``more``: values that are not in the document, such as its id.
        """
        if self.data is None:
            return None
        names = {field.name for field in fields(kind)} - more.keys()  # type: ignore[arg-type]
        return kind(**{name: value for name, value in self.data.items() if name in names}, **more)


@dataclass(frozen=True, slots=True)
class Committed:
    """The result of a commit. ``update_time``: of the first write.

    ``counters``: for each write, the new values of the counters that it added to.
    """

    update_time: datetime | None
    counters: Sequence[Mapping[str, int]]


class Commit:
    """Writes that happen together or not at all. Made by ``Firestore.commit``, whose ``send`` sends it."""

    def __init__(self, client: Client, failpoints: Failpoints, send: Callable[[Commit], Committed]) -> None:
        self._client = client
        self._failpoints = failpoints
        self._send = send
        self._writes: list[Callable[[WriteBatch], object]] = []
        #: The path of each write, and all paths of writes that do more than add to counters.
        self.paths: list[str] = []
        self.changed: set[str] = set()
        #: For each write, the names of the counters that it adds to, in the order of Firestore's answer.
        self._counters: list[Sequence[str]] = []
        #: The names of the failpoint: each kind of write once, such as `create jobs.ledger pending`.
        self._kinds: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._writes)

    def create(self, path: str, data: Mapping[str, Any]) -> Self:
        """Makes a document. A Conflict if it exists."""
        document, fields = self._client.document(path), dict(data)
        return self._write("create", path, data, lambda batch: batch.create(document, fields))

    def set(self, path: str, data: Mapping[str, Any], *, merge: bool = False) -> Self:
        """Writes a document, whether it exists or not. ``merge`` keeps its other fields."""
        document, fields = self._client.document(path), dict(data)
        return self._write("set", path, data, lambda batch: batch.set(document, fields, merge=merge))

    def update(self, path: str, data: Mapping[str, Any], *, unchanged_since: datetime | None = None) -> Self:
        """Changes fields. A Conflict if the document does not exist or has changed since it was read."""
        option = self._client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        document, fields = self._client.document(path), dict(data)
        return self._write("update", path, data, lambda batch: batch.update(document, fields, option))

    def put(self, read: Snapshot, data: Mapping[str, Any]) -> Self:
        """Makes or changes a document. A Conflict if it has changed since it was read."""
        if read.update_time is None:
            return self.create(read.path, data)
        return self.update(read.path, data, unchanged_since=read.update_time)

    def add(self, path: str, amounts: Mapping[str, int]) -> Self:
        """Adds to counters. A missing counter counts from 0; a missing document is made."""
        document = self._client.document(path)
        increments = {name: Increment(amount) for name, amount in amounts.items()}
        # The client sends the increments in the order of field names, and Firestore answers in it.
        counters = sorted(amounts)
        return self._write(
            "set", path, {}, lambda batch: batch.set(document, increments, merge=True), counters
        )

    def delete(self, path: str, *, unchanged_since: datetime | None = None) -> Self:
        """A Conflict if it has changed since it was read, or is gone."""
        option = self._client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        document = self._client.document(path)
        return self._write("delete", path, {}, lambda batch: batch.delete(document, option))

    def run(self) -> Committed:
        """Commits.

        Raises:
            Conflict: a precondition failed; nothing was written.
            Transient: no answer within the timeout; it may have been written.
        """
        with self._failpoints.around(" + ".join(self._kinds)):
            return self._send(self)

    def add_to(self, batch: WriteBatch) -> None:
        """Adds all writes to a batch of Google's client."""
        for write in self._writes:
            write(batch)

    def committed(self, results: Sequence[Any]) -> Committed:
        """From Firestore's results, one for each write."""
        return Committed(
            results[0].update_time if results else None,
            [
                {
                    name: value.integer_value
                    for name, value in zip(names, result.transform_results, strict=True)
                }
                for names, result in zip(self._counters, results, strict=True)
            ],
        )

    def _write(
        self,
        verb: str,
        path: str,
        data: Mapping[str, Any],
        write: Callable[[WriteBatch], object],
        counters: Sequence[str] = (),
    ) -> Self:
        state = f" {data['state']}" if "state" in data else ""
        self._kinds[f"{verb} {'.'.join(path.split('/')[::2])}{state}"] = None
        self._writes.append(write)
        self.paths.append(path)
        if not counters:
            self.changed.add(path)
        self._counters.append(counters)
        return self


def compatible(commits: Sequence[Commit]) -> list[Commit]:
    """Those of the commits that may be sent in one request, the first one always.

    Preconditions compare with what was stored before the request. So two commits that change the same
    document must not share one: both would succeed. They may add to the same counters.
    """
    found: list[Commit] = []
    touched, changed = set[str](), set[str]()
    for commit in commits:
        if commit.changed.isdisjoint(touched) and changed.isdisjoint(commit.paths):
            found.append(commit)
            touched.update(commit.paths)
            changed |= commit.changed
    return found
