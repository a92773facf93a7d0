"""Firestore: documents are read in batches and committed under preconditions, with timeouts and our errors.

Whatever several processes may change is changed in one way: read, decide, commit on the condition that
the documents have not changed since, and start again after a :class:`Conflict`
(:func:`retry_on_conflict`). No transaction holds a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Self, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import Client, Increment
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.config import Config
from shared.errors import Conflict, Transient
from shared.gcp import credentials
from shared.gcp.failpoints import Failpoints
from shared.lazy import Lazy

#: Seconds for one call, its retries included. Firestore usually answers within milliseconds.
TIMEOUT = 10.0
#: Seconds for a whole query. 5,000 documents take two seconds; every function that queries has more time.
QUERY_TIMEOUT = 20.0
#: Seconds for reading a whole collection. Only the operator's functions do that.
WHOLE_TIMEOUT = 60.0
#: Writes in one commit. Firestore's limit was 500 for a long time
#: (https://firebase.google.com/docs/firestore/quotas).
MAXIMUM_WRITES = 400

_RETRY = Retry(predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0)
#: Commits that conflict are tried again after a random pause, so that two processes do not collide again.
_CONFLICT_RETRY = Retry(predicate=if_exception_type(Conflict), initial=0.02, maximum=1.0)
_CONFLICTS = (
    exceptions.FailedPrecondition,
    exceptions.AlreadyExists,
    exceptions.NotFound,
    exceptions.Aborted,
)
_UNAVAILABLE = (
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.TooManyRequests,
    exceptions.Cancelled,
)
_CHANGED = "Too many changes were made at the same time."
_NO_ANSWER = "The database did not answer in time."

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


class Firestore:
    """The database. Thread-safe; one object a process.

    ``timeout``, ``query_timeout``: see TIMEOUT and QUERY_TIMEOUT.
    """

    def __init__(
        self,
        config: Config,
        failpoints: Failpoints | None = None,
        *,
        timeout: float = TIMEOUT,
        query_timeout: float = QUERY_TIMEOUT,
    ) -> None:
        self.timeout = timeout
        self.query_timeout = query_timeout
        self._failpoints = failpoints or Failpoints.from_config(config)
        self._client = Lazy(lambda: _connect(config.google_cloud_project))

    def read(self, *paths: str, fields: Sequence[str] | None = None) -> list[Snapshot]:
        """Reads documents in one request. The result is in the order of ``paths``.

        Raises:
            Transient: no answer within TIMEOUT.
        """
        if not paths:
            return []
        client = self._client()
        references = [client.document(path) for path in dict.fromkeys(paths)]
        retry = _RETRY.with_timeout(self.timeout)
        with _translated_errors(f"read {paths[0]}", self.timeout):
            found = {
                document.reference.path: _snapshot(document)
                for document in client.get_all(
                    references, field_paths=fields, retry=retry, timeout=self.timeout
                )
            }
        return [found[path] for path in paths]

    def query(
        self,
        collection: str,
        *conditions: tuple[str, str, object],
        order_by: str | None = None,
        descending: bool = False,
        start_after: str | None = None,
        limit: int | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Snapshot]:
        """Streams the documents of a collection that meet all conditions ``(field, operator, value)``.

        ``start_after``: the id of the last document of the previous page, for queries ordered by id.
        """
        client = self._client()
        query: Any = client.collection(collection)
        for name, operator, value in conditions:
            query = query.where(filter=FieldFilter(name, operator, value))
        if fields is not None:
            query = query.select(list(fields))
        if order_by is not None:
            query = query.order_by(order_by, direction="DESCENDING" if descending else "ASCENDING")
        if start_after is not None:
            query = query.start_after({"__name__": client.collection(collection).document(start_after)})
        if limit is not None:
            query = query.limit(limit)
        return _stream(query, collection, self.query_timeout)

    def query_group(self, collection_id: str, fields: Sequence[str]) -> Iterator[Snapshot]:
        """Streams the documents of all collections of that name, wherever they are."""
        query = self._client().collection_group(collection_id).select(list(fields))
        return _stream(query, collection_id, WHOLE_TIMEOUT)

    def count(self, collection: str) -> int:
        """The number of documents in a collection."""
        query: Any = self._client().collection(collection).count()  # type: ignore[no-untyped-call]
        with _translated_errors(f"count {collection}", WHOLE_TIMEOUT):
            return int(query.get(retry=_RETRY.with_timeout(WHOLE_TIMEOUT), timeout=WHOLE_TIMEOUT)[0][0].value)

    def commit(self) -> Commit:
        """An empty commit. Add writes to it, then :meth:`Commit.run` it."""
        return Commit(self._client(), self._failpoints, self.timeout)

    def ping(self, timeout: float) -> None:
        """Raises when Firestore does not answer within ``timeout`` seconds."""
        self._client().document("health/probe").get(timeout=timeout, retry=None)

    def close(self) -> None:
        self._client().close()  # type: ignore[no-untyped-call]


class Commit:
    """Writes that happen together or not at all."""

    def __init__(self, client: Client, failpoints: Failpoints, timeout: float) -> None:
        self._client = client
        self._failpoints = failpoints
        self._timeout = timeout
        self._batch = client.batch()
        #: The names of the failpoint: each kind of write once, such as `create jobs.ledger pending`.
        self._kinds: dict[str, None] = {}
        #: Path of the first write, for errors.
        self._first = ""
        #: For each write, the names of the counters it adds to, in the order of Firestore's answer.
        self._counters: list[list[str]] = []

    def __len__(self) -> int:
        return len(self._counters)

    def create(self, path: str, data: Mapping[str, Any]) -> Self:
        """Makes a document. A Conflict if it exists."""
        self._batch.create(self._document("create", path, data), dict(data))
        return self

    def set(self, path: str, data: Mapping[str, Any], *, merge: bool = False) -> Self:
        """Writes a document, whether it exists or not. ``merge`` keeps its other fields."""
        self._batch.set(self._document("set", path, data), dict(data), merge=merge)
        return self

    def update(self, path: str, data: Mapping[str, Any], *, unchanged_since: datetime | None = None) -> Self:
        """Changes fields. A Conflict if the document does not exist or has changed since it was read."""
        option = self._client.write_option(last_update_time=unchanged_since) if unchanged_since else None
        self._batch.update(self._document("update", path, data), dict(data), option)
        return self

    def put(self, read: Snapshot, data: Mapping[str, Any]) -> Self:
        """Makes or changes a document. A Conflict if it has changed since it was read."""
        if read.update_time is None:
            return self.create(read.path, data)
        return self.update(read.path, data, unchanged_since=read.update_time)

    def add(self, path: str, amounts: Mapping[str, int]) -> Self:
        """Adds to counters. A missing counter counts from 0; a missing document is made."""
        increments = {name: Increment(amount) for name, amount in amounts.items()}
        self._batch.set(self._document("set", path, {}), increments, merge=True)
        # The client sends the increments in the order of field names, and Firestore answers in it.
        self._counters[-1] = sorted(amounts)
        return self

    def delete(self, path: str) -> Self:
        self._batch.delete(self._document("delete", path, {}))
        return self

    def run(self) -> Committed:
        """Commits.

        Raises:
            Conflict: a precondition failed; nothing was written.
            Transient: no answer within TIMEOUT; it may have been written.
        """
        with (
            self._failpoints.around(" + ".join(self._kinds)),
            _translated_errors(f"write {self._first}", self._timeout),
        ):
            retry = _RETRY.with_timeout(self._timeout)
            results = self._batch.commit(retry=retry, timeout=self._timeout)
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

    def _document(self, verb: str, path: str, data: Mapping[str, Any]) -> Any:
        state = f" {data['state']}" if "state" in data else ""
        self._kinds[f"{verb} {'.'.join(path.split('/')[::2])}{state}"] = None
        self._first = self._first or path
        self._counters.append([])
        return self._client.document(path)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit came to. ``update_time``: of the first write.

    ``counters``: for each write, the new values of the counters that it added to.
    """

    update_time: datetime | None
    counters: Sequence[Mapping[str, int]]


def retry_on_conflict(attempt: Callable[[], T], *, timeout: float = TIMEOUT) -> T:
    """Runs read-decide-commit again while it raises :class:`Conflict`, for at most ``timeout`` seconds.

    Raises:
        Transient: there was a conflict each time.
    """
    try:
        return _CONFLICT_RETRY.with_timeout(timeout)(attempt)()
    except exceptions.RetryError as error:
        raise Transient(_CHANGED, detail=str(error.cause)) from error


def _connect(project: str) -> Client:
    with credentials.required("FIRESTORE_EMULATOR_HOST"):
        return Client(project=project)


@contextmanager
def _translated_errors(what: str, seconds: float) -> Iterator[None]:
    """Turns the client's errors into ours. ``what`` names the call, for the log only."""
    try:
        yield
    except _CONFLICTS as error:
        raise Conflict(_CHANGED, detail=f"Firestore refused to {what}: {error.message}") from error
    except _UNAVAILABLE as error:
        raise Transient(_NO_ANSWER, detail=f"Firestore did not {what} within {seconds:g} s") from error


def _snapshot(document: Any) -> Snapshot:
    return Snapshot(document.reference.path, document.to_dict(), document.update_time)


def _stream(query: Any, name: str, seconds: float) -> Iterator[Snapshot]:
    with _translated_errors(f"list {name}", seconds):
        found = iter(query.stream(retry=_RETRY.with_timeout(seconds), timeout=seconds))
    while True:
        # Not around the yield: an error of the caller must not be taken for one of Firestore's.
        with _translated_errors(f"list {name}", seconds):
            document = next(found, None)
        if document is None:
            return
        yield _snapshot(document)
