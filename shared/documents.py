"""Firestore documents: read together, committed under preconditions, with timeouts and our errors.

Reads and commits that several threads of a process ask for at once travel together (shared.coalescing):
most of what a small one costs is the call.

There is one way to change what others may change too: read, decide, commit "unless it has changed
since", and on :class:`Conflict` begin again (``retried``). No transaction holds a lock.
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
from shared.coalescing import Coalesced
from shared.errors import Transient

#: Seconds for one call, its retries included. Firestore answers in milliseconds.
TIMEOUT = 10.0
#: Seconds for all of a query: 5,000 documents take two. Within what the shortest function has that asks one.
QUERY_TIMEOUT = 20.0
#: Seconds for what reads whole collections, which only the operator asks for.
WHOLE_TIMEOUT = 60.0
#: Writes in one commit (https://firebase.google.com/docs/firestore/quotas allowed 500 for long; keep below).
MAXIMUM_WRITES = 400
#: Reads, or commits, of one call. Twenty of the longest transcripts are 8 MB; a request has 10 at most.
_READS, _COMMITS = 50, 20
#: Seconds between two such calls: under load they carry more, and take less of the processor. Where no person
#: waits they may be longer; for commits less so, because a claim that is made at a video's turn keeps a place
#: at YouTube waiting.
_EVERY, _READ_UNHURRIED, _COMMIT_UNHURRIED = 0.03, 0.1, 0.06
#: Writes of a commit that travels with others: a page of a playlist goes by itself.
_SMALL = 8

_RETRY = Retry(
    predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0, timeout=TIMEOUT
)
_UNAVAILABLE = (
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.TooManyRequests,
    exceptions.Cancelled,
)

#: What a person reads. Which document it was stands in the log only: a call may carry several users'.
_CHANGED = "Too many changes at once. Try again."
_SILENT = "The database did not answer in time."

T = TypeVar("T")
R = TypeVar("R")


class Conflict(Transient):
    """A precondition failed: somebody changed, made or removed the document meanwhile.

    Who does not begin again himself lets Pub/Sub, or the caller, do it.
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
    references = [client.document(path) for path in paths]
    return _read_together(references) if fields is None else _read(references, fields)


def _read(references: Sequence[Any], fields: Sequence[str] | None = None) -> list[Snapshot]:
    client = clients.firestore()
    different = list({reference.path: reference for reference in references}.values())
    found = _call(
        f"read {references[0].path}",
        lambda: {
            document.reference.path: _snapshot(document)
            for document in client.get_all(different, field_paths=fields, retry=_RETRY, timeout=TIMEOUT)
        },
    )
    return [found[reference.path] for reference in references]


def _read_all(callers: Sequence[Sequence[Any]]) -> list[list[Snapshot]]:
    found = iter(_read([reference for references in callers for reference in references]))
    return [[next(found) for _ in references] for references in callers]


_read_together = Coalesced[Sequence[Any], list[Snapshot]](
    lambda callers: _or_each_alone(callers, _read_all), most=_READS, every=_EVERY, unhurried=_READ_UNHURRIED
)


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
        """Commits; answers, write by write, the new values of the counters it added to.

        Raises:
            Conflict: a precondition failed; nothing was written.
            Transient: Firestore did not answer in time; it may have been written.
        """
        with failpoints.around(" + ".join(self._kinds)):
            if len(self) > _SMALL:
                return _commit_all([self])[0]
            return _commit_together(self)


def _commit_all(commits: Sequence[Commit]) -> list[list[dict[str, int]]]:
    """All of them or, in a Conflict, none."""
    batch = clients.firestore().batch()
    for commit in commits:
        for write in commit._writes:
            write(batch)
    results = iter(
        _call(f"write {commits[0]._paths[0]}", lambda: batch.commit(retry=_RETRY, timeout=TIMEOUT))
    )
    return [
        [
            {
                name: value.integer_value
                for name, value in zip(
                    commit._added.get(number, ()), next(results).transform_results, strict=True
                )
            }
            for number in range(len(commit))
        ]
        for commit in commits
    ]


def _commit_each(commits: Sequence[Commit]) -> list[list[dict[str, int]] | Exception]:
    """In as few calls as can be.

    Not two that write the same document in one, unless both only add to it: preconditions are held
    against what was there before the call, so both would succeed.
    """
    answers: dict[int, list[dict[str, int]] | Exception] = {}
    left = list(enumerate(commits))
    while left:
        together: list[tuple[int, Commit]] = []
        apart: list[tuple[int, Commit]] = []
        added, written = set[str](), set[str]()
        for number, commit in left:
            adds = {commit._paths[place] for place in commit._added}
            writes = set(commit._paths) - adds
            if writes & (added | written) or adds & written:
                apart.append((number, commit))
            else:
                together.append((number, commit))
                added |= adds
                written |= writes
        found = _or_each_alone([commit for _, commit in together], _commit_all)
        answers |= {number: answer for (number, _), answer in zip(together, found, strict=True)}
        left = apart
    return [answers[number] for number in range(len(commits))]


_commit_together = Coalesced[Commit, list[dict[str, int]]](
    _commit_each, most=_COMMITS, every=_EVERY, unhurried=_COMMIT_UNHURRIED
)


def _or_each_alone(items: Sequence[T], work: Callable[[Sequence[T]], Sequence[R]]) -> Sequence[R | Exception]:
    """What one of them is refused for is not the others' fault; a Firestore that is away is away for all."""
    try:
        return work(items)
    except Exception as error:
        if len(items) == 1:
            return [error]
        if isinstance(error, Transient) and not isinstance(error, Conflict):
            raise
    answers: list[R | Exception] = []
    for item in items:
        try:
            answers += work([item])
        except Exception as error:
            answers.append(error)
    return answers


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
