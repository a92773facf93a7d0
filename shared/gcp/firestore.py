"""Firestore: documents are read in batches and committed under preconditions, with timeouts and our errors.

Whatever several processes may change is changed in one way: read, decide, commit on the condition that
the documents have not changed since, and start again after a :class:`Conflict`
(:func:`retry_on_conflict`). No transaction holds a lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeGuard, TypeVar

from google.api_core import exceptions
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1 import Client
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.config import Config
from shared.errors import Conflict, Transient, Undeployed
from shared.gcp import credentials
from shared.gcp.batching import Batcher, copy_of
from shared.gcp.documents import Commit, Committed, Snapshot, compatible
from shared.gcp.failpoints import Failpoints
from shared.gcp.room import Room
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

#: Seconds between two batches in a process for whose calls nobody waits. The calls of all its threads since
#: the last batch are one request. With each call alone, a video at 200 at once took 50 ms of processor time
#: instead of 37, and 1,000 videos took 27 s instead of 21.
BATCH_INTERVAL = 0.05
#: Calls in one batch. A commit can hold a whole transcript (1 MB), and a request takes 10 MB.
_READS, _COMMITS = 16, 8

_RETRY = Retry(predicate=if_exception_type(exceptions.ServiceUnavailable), initial=0.1, maximum=1.0)
#: Commits that conflict are tried again after a random pause, so that two processes do not collide again.
_CONFLICT_RETRY = Retry(predicate=if_exception_type(Conflict), initial=0.02, maximum=1.0)
#: What a write is answered if a document is not as the commit expects it.
_CONFLICTS = (
    exceptions.FailedPrecondition,
    exceptions.AlreadyExists,
    exceptions.NotFound,
    exceptions.Aborted,
)
#: What is answered to a read or a query if the database or an index is missing or still being built.
_MISSING = (exceptions.FailedPrecondition, exceptions.NotFound)
#: What is answered to any call if the function's identity lacks a role.
_FORBIDDEN = (exceptions.Forbidden, exceptions.Unauthorized)
_UNAVAILABLE = (
    exceptions.ServerError,
    exceptions.RetryError,
    exceptions.TooManyRequests,
    exceptions.Cancelled,
)
_CHANGED = "Too many changes were made at the same time."
_NO_ANSWER = "The database did not answer in time."
_UNDEPLOYED = "The database of this site is not set up completely. The operator finds the reason in the log."

T = TypeVar("T")
R = TypeVar("R")


class Firestore:
    """The database. Thread-safe; one object a process.

    ``timeout``, ``query_timeout``: see TIMEOUT and QUERY_TIMEOUT. ``batch_interval``: see BATCH_INTERVAL.
    None sends each call alone. ``room``: whether more can be stored, and everything is there.
    """

    room = Room()

    def __init__(
        self,
        config: Config,
        failpoints: Failpoints | None = None,
        *,
        batch_interval: float | None = None,
        timeout: float = TIMEOUT,
        query_timeout: float = QUERY_TIMEOUT,
    ) -> None:
        self.timeout = timeout
        self.query_timeout = query_timeout
        self.room = Room.from_config(config)
        self._failpoints = failpoints or Failpoints.from_config(config)
        self._client = Lazy(lambda: _connect(config.google_cloud_project))
        self._read: Callable[[Sequence[str]], list[Snapshot]] = self._get
        self._send: Callable[[Commit], Committed] = self._send_alone
        if batch_interval is not None:
            self._read = Batcher(self._read_batch, _READS, batch_interval)
            self._send = Batcher(self._send_batch, _COMMITS, batch_interval)

    def read(self, *paths: str, fields: Sequence[str] | None = None) -> list[Snapshot]:
        """Reads documents in one request. The result is in the order of ``paths``.

        Raises:
            Transient: no answer within TIMEOUT.
        """
        if not paths:
            return []
        return self._read(paths) if fields is None else self._get(paths, fields)

    def _read_batch(self, callers: Sequence[Sequence[str]]) -> Sequence[list[Snapshot] | Exception]:
        """Reads the documents of all callers in one request."""

        def read(callers: Sequence[Sequence[str]]) -> list[list[Snapshot]]:
            found = {each.path: each for each in self._get([path for paths in callers for path in paths])}
            return [[found[path] for path in paths] for paths in callers]

        return _in_halves(read, callers)

    def _get(self, paths: Sequence[str], fields: Sequence[str] | None = None) -> list[Snapshot]:
        client = self._client()
        references = [client.document(path) for path in dict.fromkeys(paths)]
        retry = _RETRY.with_timeout(self.timeout)
        with self._asked(f"read {paths[0]}", self.timeout):
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
        query = _where(client.collection(collection), conditions)
        if fields is not None:
            query = query.select(list(fields))
        if order_by is not None:
            query = query.order_by(order_by, direction="DESCENDING" if descending else "ASCENDING")
        if start_after is not None:
            query = query.start_after({"__name__": client.collection(collection).document(start_after)})
        if limit is not None:
            query = query.limit(limit)
        return self._stream(query, collection, self.query_timeout)

    def query_group(self, collection_id: str, fields: Sequence[str]) -> Iterator[Snapshot]:
        """Streams the documents of all collections of that name, wherever they are."""
        query = self._client().collection_group(collection_id).select(list(fields))
        return self._stream(query, collection_id, WHOLE_TIMEOUT)

    def count(
        self, collection: str, *conditions: tuple[str, str, object], timeout: float | None = None
    ) -> int:
        """The number of documents in a collection that meet all conditions. ``timeout``: as QUERY_TIMEOUT."""
        seconds = timeout or self.query_timeout
        query: Any = _where(self._client().collection(collection), conditions).count()
        with self._asked(f"count {collection}", seconds):
            return int(query.get(retry=_RETRY.with_timeout(seconds), timeout=seconds)[0][0].value)

    def commit(self) -> Commit:
        """An empty commit. Add writes to it, then :meth:`Commit.run` it."""
        return Commit(self._client(), self._failpoints, self._send)

    def _send_batch(self, commits: Sequence[Commit]) -> Sequence[Committed | Exception]:
        """Sends in one request what is compatible, then what is left."""
        together = compatible(commits)
        results = dict(zip(map(id, together), _in_halves(self._send_together, together), strict=True))
        left = [commit for commit in commits if id(commit) not in results]
        if left:
            last = results[id(together[-1])]
            rest = [copy_of(last) for _ in left] if _no_answer(last) else self._send_batch(left)
            results.update(zip(map(id, left), rest, strict=True))
        return [results[id(commit)] for commit in commits]

    def _send_alone(self, commit: Commit) -> Committed:
        return self._send_together([commit])[0]

    def _send_together(self, commits: Sequence[Commit]) -> list[Committed]:
        batch = self._client().batch()
        for commit in commits:
            commit.add_to(batch)
        what = f"write {next(iter(commits[0].paths), 'nothing')}"
        with self._asked(what, self.timeout, writes=True):
            found = iter(batch.commit(retry=_RETRY.with_timeout(self.timeout), timeout=self.timeout))
        return [commit.committed(list(islice(found, len(commit)))) for commit in commits]

    def _stream(self, query: Any, name: str, seconds: float) -> Iterator[Snapshot]:
        with self._asked(f"list {name}", seconds):
            found = iter(query.stream(retry=_RETRY.with_timeout(seconds), timeout=seconds))
        while True:
            # Not around the yield: an error of the caller must not be taken for one of Firestore's.
            with self._asked(f"list {name}", seconds):
                document = next(found, None)
            if document is None:
                return
            yield _snapshot(document)

    @contextmanager
    def _asked(self, what: str, seconds: float, *, writes: bool = False) -> Iterator[None]:
        """A call. Raises ours for the client's errors, and Transient while documents are being loaded.

        A call that began before the emulator ended may be answered when it has started again, empty.
        """
        self.room.require_loaded()
        with _translated_errors(what, seconds, writes=writes):
            yield
        self.room.require_loaded()

    def ping(self, timeout: float) -> None:
        """Raises when Firestore does not answer within ``timeout`` seconds."""
        self._client().document("health/probe").get(timeout=timeout, retry=None)

    def close(self) -> None:
        self._client().close()  # type: ignore[no-untyped-call]


def delete_all(db: Firestore, collection: str, *conditions: tuple[str, str, object]) -> None:
    """Deletes the documents of a collection that meet all conditions, as many in a commit as it takes.

    Not in one transaction: some may be deleted when this fails. Doing it again deletes the rest.
    """
    # All paths first: deleting takes a while, and a stream of Firestore's has a time limit.
    paths = iter([each.path for each in db.query(collection, *conditions, fields=["__name__"])])
    while part := list(islice(paths, MAXIMUM_WRITES)):
        commit = db.commit()
        for path in part:
            commit.delete(path)
        commit.run()


def retry_on_conflict(attempt: Callable[[], T], *, timeout: float = TIMEOUT) -> T:
    """Runs read-decide-commit again while it raises :class:`Conflict`, for at most ``timeout`` seconds.

    Raises:
        Transient: there was a conflict each time.
    """
    try:
        return _CONFLICT_RETRY.with_timeout(timeout)(attempt)()
    except exceptions.RetryError as error:
        raise Transient(_CHANGED, detail=getattr(error.cause, "detail", None)) from error


def _in_halves(call: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R | Exception]:
    """The result or error of each item, from one call for all if it succeeds.

    If Firestore refuses the call, one of the items may be the reason, so each half is tried, down to single
    items. That takes few calls when documents are hot. If it does not answer, the next ones are not sent.
    """
    try:
        return list(call(items))
    except Exception as error:
        if len(items) == 1 or _no_answer(error):
            return [error, *(copy_of(error) for _ in items[1:])]
    middle = len(items) // 2
    first = _in_halves(call, items[:middle])
    if _no_answer(first[-1]):
        return [*first, *(copy_of(first[-1]) for _ in items[middle:])]
    return [*first, *_in_halves(call, items[middle:])]


def _no_answer(result: object) -> TypeGuard[Transient]:
    return isinstance(result, Transient) and not isinstance(result, Conflict)


def _connect(project: str) -> Client:
    with credentials.required("FIRESTORE_EMULATOR_HOST"):
        return Client(project=project)


@contextmanager
def _translated_errors(what: str, seconds: float, *, writes: bool = False) -> Iterator[None]:
    """Turns the client's errors into ours. ``what`` names the call, for the log only."""
    try:
        yield
    except _UNAVAILABLE as error:
        raise Transient(_NO_ANSWER, detail=f"Firestore did not {what} within {seconds:g} s") from error
    except exceptions.GoogleAPICallError as error:
        refused = f"Firestore refused to {what}: {error.message}"
        if isinstance(error, _FORBIDDEN if writes else _MISSING + _FORBIDDEN):
            raise Undeployed(_UNDEPLOYED, detail=refused) from error
        if isinstance(error, _CONFLICTS):
            raise Conflict(_CHANGED, detail=refused) from error
        raise


def _where(query: Any, conditions: Sequence[tuple[str, str, object]]) -> Any:
    for name, operator, value in conditions:
        query = query.where(filter=FieldFilter(name, operator, value))
    return query


def _snapshot(document: Any) -> Snapshot:
    return Snapshot(document.reference.path, document.to_dict(), document.update_time)
