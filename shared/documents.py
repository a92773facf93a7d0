"""Firestore documents: reads, commits with preconditions, timeouts, and our own errors.

Documents that others may change are changed in one way: read, decide, commit on the condition that they have
not changed since. On a :class:`Conflict` the whole sequence is repeated (``retried``). No transaction holds
a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import uniform
from time import sleep
from typing import Any, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import Increment, WriteBatch
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import clients, failpoints
from shared.errors import Transient

#: Seconds for one call, its retries included. Firestore answers in milliseconds.
TIMEOUT = 10.0
#: Seconds for all of a query: 5,000 documents take two. Within what the shortest function has that asks one.
QUERY_TIMEOUT = 20.0
#: Seconds for what reads whole collections, which only the operator asks for.
WHOLE_TIMEOUT = 60.0
#: Writes in one commit (https://firebase.google.com/docs/firestore/quotas allowed 500 for long; keep below).
MAXIMUM_WRITES = 400

_RETRY = Retry(
    predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0, timeout=TIMEOUT
)
_UNAVAILABLE = (
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.TooManyRequests,
    exceptions.Cancelled,
)

#: The sentences that people read. They name no document: only ``detail``, for the log, does.
_CHANGED = "Too many changes at once. Try again."
_SILENT = "The database did not answer in time."

T = TypeVar("T")


class Conflict(Transient):
    """A precondition failed: somebody changed, created or deleted the document since it was read.

    Callers retry, or let it propagate so that Pub/Sub or the HTTP client retries.
    """


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as it was read; ``data`` is None when there is none."""

    path: str
    data: Mapping[str, Any] | None
    update_time: datetime | None

    @property
    def id(self) -> str:
        return self.path.rsplit("/", 1)[1]


def _call(what: str, call: Callable[[], T], seconds: float | None = None) -> T:
    try:
        return call()
    except (
        exceptions.FailedPrecondition,
        exceptions.AlreadyExists,
        exceptions.NotFound,
        exceptions.Aborted,
    ) as error:
        raise Conflict(_CHANGED, detail=f"Firestore refused to {what}: {error.message}") from error
    except _UNAVAILABLE as error:
        detail = f"Firestore did not {what} within {seconds or TIMEOUT:g} s"
        raise Transient(_SILENT, detail=detail) from error


def _snapshot(document: Any) -> Snapshot:
    return Snapshot(document.reference.path, document.to_dict(), document.update_time)


def read(*paths: str, fields: Sequence[str] | None = None) -> list[Snapshot]:
    """Reads documents in one request; the answer is in the order of ``paths``.

    Raises:
        Transient: Firestore did not answer in time.
    """
    if not paths:
        return []
    client = clients.firestore()
    # get_all answers a document once, however often it is asked for, and in any order.
    references = [client.document(path) for path in dict.fromkeys(paths)]
    found = _call(
        f"read {paths[0]}",
        lambda: {
            document.reference.path: _snapshot(document)
            for document in client.get_all(references, field_paths=fields, retry=_RETRY, timeout=TIMEOUT)
        },
    )
    return [found[path] for path in paths]


def query(
    collection: str,
    *conditions: tuple[str, str, object],
    order_by: str | None = None,
    descending: bool = False,
    start_after: str | None = None,
    limit: int | None = None,
    fields: Sequence[str] | None = None,
) -> Iterator[Snapshot]:
    """Streams the documents of a collection that meet all conditions ``(field, operator, value)``.

    ``start_after`` is the id of the last document of the page before, for queries ordered by id.
    """
    client = clients.firestore()
    found: Any = client.collection(collection)
    for field, operator, value in conditions:
        found = found.where(filter=FieldFilter(field, operator, value))
    if fields is not None:
        found = found.select(list(fields))
    if order_by is not None:
        found = found.order_by(order_by, direction="DESCENDING" if descending else "ASCENDING")
    if start_after is not None:
        found = found.start_after({"__name__": client.collection(collection).document(start_after)})
    if limit is not None:
        found = found.limit(limit)
    yield from _stream(found, collection, QUERY_TIMEOUT)


class Commit:
    """Writes that happen together or not at all."""

    def __init__(self) -> None:
        self._writes: list[Callable[[WriteBatch], object]] = []
        self._paths: list[str] = []
        #: For failpoints: `create jobs.ledger pending`, each kind of write once.
        self._kinds: dict[str, None] = {}
        self._added: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._paths)

    def create(self, path: str, data: Mapping[str, Any]) -> Commit:
        """Conflict if the document exists."""
        reference, fields = self._reference(path), dict(data)
        return self._write("create", path, data, lambda batch: batch.create(reference, fields))

    def set(self, path: str, data: Mapping[str, Any], *, merge: bool = False) -> Commit:
        reference, fields = self._reference(path), dict(data)
        return self._write("set", path, data, lambda batch: batch.set(reference, fields, merge=merge))

    def update(
        self, path: str, data: Mapping[str, Any], *, unchanged_since: datetime | None = None
    ) -> Commit:
        """Conflict if there is no such document, or it has changed since it was read."""
        client = clients.firestore()
        option = client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        reference, fields = self._reference(path), dict(data)
        return self._write("update", path, data, lambda batch: batch.update(reference, fields, option))

    def add(self, path: str, amounts: Mapping[str, int]) -> Commit:
        """Adds to counters; what is missing counts from 0. Makes the document if there is none."""
        # The client sends, and Firestore answers, transforms in the order of field names.
        self._added[len(self._paths)] = sorted(amounts)
        return self.set(path, {name: Increment(amount) for name, amount in amounts.items()}, merge=True)

    def delete(self, path: str) -> Commit:
        reference = self._reference(path)
        return self._write("delete", path, {}, lambda batch: batch.delete(reference))

    def _reference(self, path: str) -> Any:
        return clients.firestore().document(path)

    def _write(
        self, verb: str, path: str, data: Mapping[str, Any], write: Callable[[WriteBatch], object]
    ) -> Commit:
        self._writes.append(write)
        self._paths.append(path)
        state = f" {data['state']}" if "state" in data else ""
        self._kinds[f"{verb} {'.'.join(path.split('/')[::2])}{state}"] = None
        return self

    def run(self) -> list[dict[str, int]]:
        """Commits; returns, for each write, the new values of the counters it added to.

        Raises:
            Conflict: a precondition failed; nothing was written.
            Transient: Firestore did not answer in time; it may have been written.
        """
        batch = clients.firestore().batch()
        for write in self._writes:
            write(batch)
        with failpoints.around(" + ".join(self._kinds)):
            results = _call(f"write {self._paths[0]}", lambda: batch.commit(retry=_RETRY, timeout=TIMEOUT))
        return [
            {
                name: value.integer_value
                for name, value in zip(self._added.get(number, ()), result.transform_results, strict=True)
            }
            for number, result in enumerate(results)
        ]


def retried(attempt: Callable[[], T], *, attempts: int = 12) -> T:
    """Runs read-decide-commit again while it meets a :class:`Conflict`.

    Raises:
        Transient: still in conflict after ``attempts`` tries.
    """
    for number in range(attempts):
        try:
            return attempt()
        except Conflict as conflict:
            last = conflict
            # Jitter, so that two that collide do not collide again.
            sleep(uniform(0, min(0.02 * 2**number, 1.0)))  # noqa: S311
    raise Transient(_CHANGED, detail=f"still in conflict after {attempts} attempts") from last


def every(collection_id: str, fields: Sequence[str]) -> Iterator[Snapshot]:
    """Streams these fields of all documents of all collections of that name, wherever they lie."""
    yield from _stream(
        clients.firestore().collection_group(collection_id).select(list(fields)), collection_id, WHOLE_TIMEOUT
    )


def count(collection: str) -> int:
    """How many documents a collection has."""
    aggregation: Any = clients.firestore().collection(collection).count()  # type: ignore[no-untyped-call]
    found = _call(
        f"count {collection}", lambda: aggregation.get(retry=_RETRY, timeout=WHOLE_TIMEOUT), WHOLE_TIMEOUT
    )
    return int(found[0][0].value)


def _stream(found: Any, name: str, seconds: float) -> Iterator[Snapshot]:
    stream = iter(found.stream(retry=_RETRY, timeout=seconds))
    while True:
        document = _call(f"list {name}", lambda: next(stream, None), seconds)
        if document is None:
            return
        yield _snapshot(document)
