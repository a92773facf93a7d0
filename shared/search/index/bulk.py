"""Bulk requests to Elasticsearch: documents of videos with their versions, and the result of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson

from shared.errors import DeliveryError, Permanent, Transient
from shared.search.errors import SearchRefused, error_from, translate_errors
from shared.search.server import SearchServer

#: A bulk request is sent when it has grown to so many bytes. Elasticsearch takes 100 MB, but slowly.
_BULK_BYTES = 4_000_000


class NotWritten(Transient):
    """Some documents were not written, at least one of them for a reason that passes.

    ``failed``: video id → its error. All other documents are written.
    """

    def __init__(self, failed: Mapping[str, DeliveryError]) -> None:
        super().__init__("The search index did not take the video.", detail=_detail(failed))
        self.failed = failed


class NotAccepted(Permanent):
    """Elasticsearch refused some documents and would do so again. ``failed`` as in :class:`NotWritten`."""

    def __init__(self, failed: Mapping[str, DeliveryError]) -> None:
        super().__init__("The search index does not accept the video.", detail=_detail(failed))
        self.failed = failed


def _detail(failed: Mapping[str, DeliveryError]) -> str:
    ids = ", ".join(list(failed)[:5]) + (f" and {len(failed) - 5} more" if len(failed) > 5 else "")
    return f"{ids}: {next(iter(failed.values())).detail}"


def error_for(failed: Mapping[str, DeliveryError]) -> NotWritten | NotAccepted | None:
    """The error to raise for these failures. None if there are none."""
    if any(isinstance(error, Transient) for error in failed.values()):
        return NotWritten(failed)
    return NotAccepted(failed) if failed else None


def no_index(errors: Mapping[str, DeliveryError]) -> bool:
    """Whether the index, or its alias, does not exist."""
    return any(isinstance(error, SearchRefused) and error.no_index for error in errors.values())


class Write(NamedTuple):
    """One document to write. ``version``: microseconds, see transcripts.store.version. ``body``: JSON."""

    video_id: str
    version: int
    body: bytes


def chunks(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """Splits writes into requests of a good size."""
    chunk: list[Write] = []
    size = 0
    for write in writes:
        chunk.append(write)
        size += len(write.body)
        if size > _BULK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def send(
    server: SearchServer, chunk: Sequence[Write], index: str, *, is_alias: bool = True, refresh: bool = False
) -> dict[str, DeliveryError]:
    """Sends one bulk request. ``refresh``: searches find the documents as soon as it is answered.

    Returns:
        The errors of documents that failed, by video id. A write that lost to a newer version succeeded.
    """
    operations: list[bytes] = []
    for each in chunk:
        action = {
            "_index": index,
            "_id": each.video_id,
            "version": each.version,
            "version_type": "external_gte",
            # Otherwise a bulk to a missing alias would make an index of that name with a guessed mapping.
            "require_alias": is_alias,
        }
        operations += [orjson.dumps({"index": action}), each.body]
    with translate_errors(), server.failpoints.around("index videos"):
        answer = server.client.bulk(operations=cast(Any, operations), refresh=refresh)
    results = [item["index"] for item in answer["items"]]
    return {
        each.video_id: error_from({"status": result["status"], **result["error"]})
        for each, result in zip(chunk, results, strict=True)
        if result["status"] >= 300 and result["status"] != 409
    }
