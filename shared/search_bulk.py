"""Bulk requests to Elasticsearch: documents of videos with their versions, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import orjson

from shared import clients, failpoints
from shared.errors import DeliveryError, Permanent, Transient
from shared.search_documents import VideoDocument
from shared.search_errors import explained

#: A bulk request is sent when it has grown to this; Elasticsearch takes 100 MB, but slowly.
_BULK_BYTES = 4_000_000


class NotWritten(Transient):
    """Some documents were not written, at least one of them for a passing reason."""

    def __init__(self, failed: Mapping[str, DeliveryError]) -> None:
        super().__init__(_sentence(failed))
        #: Video id -> what happened to it; all others are written.
        self.failed = failed


class Refused(Permanent):
    """Elasticsearch refused some documents, and would do so again; all others are written."""

    def __init__(self, failed: Mapping[str, DeliveryError]) -> None:
        super().__init__(_sentence(failed))
        self.failed = failed


def _sentence(failed: Mapping[str, DeliveryError]) -> str:
    ids = ", ".join(list(failed)[:5]) + (f" and {len(failed) - 5} more" if len(failed) > 5 else "")
    return f"Not written to the search index: {ids} ({next(iter(failed.values()))})"


def error_of(failed: Mapping[str, DeliveryError]) -> NotWritten | Refused | None:
    """What is to be raised for these failures; None when there are none."""
    if any(isinstance(error, Transient) for error in failed.values()):
        return NotWritten(failed)
    return Refused(failed) if failed else None


class Write(NamedTuple):
    """One document as it is sent."""

    video_id: str
    version: int
    body: bytes

    @classmethod
    def of(cls, document: VideoDocument, version: int) -> Write:
        return cls(document.video_id, version, orjson.dumps(document.body()))


def chunks(writes: Iterable[Write]) -> Iterator[list[Write]]:
    """Cut into requests of a size that Elasticsearch likes."""
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
    chunk: Sequence[Write], index: str, *, is_alias: bool = True, refresh: bool = False
) -> dict[str, dict[str, Any]]:
    """Sends one bulk request, and returns the errors of the documents that failed, by video id.

    A document that is older than the indexed one is not an error. ``refresh``: the documents can be found as
    soon as this returns.
    """
    operations: list[bytes] = []
    for each in chunk:
        action = {
            "_index": index,
            "_id": each.video_id,
            "version": each.version,
            "version_type": "external_gte",
            # Otherwise a bulk to a missing alias would create an index of that name, mapping guessed.
            "require_alias": is_alias,
        }
        operations += [orjson.dumps({"index": action}), each.body]
    with explained(), failpoints.around("index videos"):
        answer = clients.elasticsearch().bulk(operations=cast(Any, operations), refresh=refresh)
    errors = {}
    for each, item in zip(chunk, answer["items"], strict=True):
        result = item["index"]
        if result["status"] >= 300 and result["status"] != 409:
            errors[each.video_id] = {"status": result["status"], **result["error"]}
    return errors


def no_index(error: Mapping[str, Any]) -> bool:
    """Whether the index or alias is missing."""
    return error.get("type") == "index_not_found_exception"
