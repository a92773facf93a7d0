"""The index of videos in Elasticsearch, and the libraries whose videos may be searched.

A view of the store: everything here can be written again from there. Writes carry the version of what
they show (``external_gte``), so deliveries may repeat and overtake each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from shared import clients, config, failpoints, search_mapping
from shared.coalescing import Coalesced
from shared.errors import DeliveryError, Permanent, Transient
from shared.search_documents import VideoDocument
from shared.search_errors import explained, refusal

__all__ = [
    "NotWritten",
    "Refused",
    "VideoDocument",
    "abandon_rebuild",
    "delete_library",
    "fingerprints",
    "finish_rebuild",
    "libraries_of",
    "refresh",
    "start_rebuild",
    "write",
    "write_library",
    "write_rebuild",
]

#: A bulk request is sent when it has grown to this; Elasticsearch takes 100 MB, but slowly.
_BULK_BYTES = 4_000_000
#: Threads whose documents travel together.
_WRITERS = 32
#: Seconds after which no search can be under way any more, and how many idle looks in a row are enough.
_LONGEST_SEARCH, _IDLE_LOOKS = 30.0, 4


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


def videos_alias() -> str:
    return f"{config.load().elasticsearch_index_prefix}-videos"


def building_alias() -> str:
    return f"{videos_alias()}-building"


def libraries_index() -> str:
    return f"{config.load().elasticsearch_index_prefix}-libraries"


def library_id(user_id: str, playlist_id: str) -> str:
    return f"{user_id}:{playlist_id}"


def write(documents: Sequence[tuple[VideoDocument, int]]) -> None:
    """Writes videos; with each the version (microseconds) of what it shows.

    An older write never overwrites a newer one: that it lost is success. If a rebuild is under way, the
    index being built gets the documents too. What several threads write at once is one bulk request.

    Raises:
        NotWritten: (Transient) Elasticsearch is down, slow, overloaded; `failed` says which ids.
        Refused: (Permanent) Elasticsearch refuses documents; `failed` says which ids and why.
    """
    _write_together(documents)


def _write(documents: Sequence[tuple[VideoDocument, int]]) -> dict[str, DeliveryError]:
    """What happened to those that are not written, by video id."""
    targets = [videos_alias(), building_alias()]
    failed: dict[str, DeliveryError] = {}
    missing: set[str] = set()
    for operations in _operations(documents, targets):
        for video_id, index, error in _bulk(operations):
            if error.get("type") == "index_not_found_exception":
                if index == videos_alias():
                    missing.add(video_id)
                # Without a rebuild the other alias does not exist: nothing is missing there.
            else:
                failed[video_id] = refusal(error)
    if missing:
        create_missing()
        again = [pair for pair in documents if pair[0].video_id in missing]
        for operations in _operations(again, [videos_alias()]):
            failed |= {video_id: refusal(error) for video_id, _, error in _bulk(operations)}
    return failed


def _write_all(callers: Sequence[Sequence[tuple[VideoDocument, int]]]) -> list[Exception | None]:
    failed = _write([pair for documents in callers for pair in documents])
    return [
        _error_of({each.video_id: failed[each.video_id] for each, _ in documents if each.video_id in failed})
        for documents in callers
    ]


_write_together = Coalesced[Sequence[tuple[VideoDocument, int]], None](_write_all, most=_WRITERS)


def _write_into(index: str, documents: Sequence[tuple[VideoDocument, int]]) -> None:
    """Writes into one index by its own name (a rebuild's). Raises as :func:`write`."""
    failed: dict[str, DeliveryError] = {}
    for operations in _operations(documents, [index], require_alias=False):
        failed |= {video_id: refusal(error) for video_id, _, error in _bulk(operations)}
    if error := _error_of(failed):
        raise error


def _error_of(failed: Mapping[str, DeliveryError]) -> NotWritten | Refused | None:
    if any(isinstance(error, Transient) for error in failed.values()):
        return NotWritten(failed)
    return Refused(failed) if failed else None


def _operations(
    documents: Sequence[tuple[VideoDocument, int]], indices: Sequence[str], *, require_alias: bool = True
) -> Iterator[list[bytes]]:
    """The lines of bulk requests, cut into requests of a size that Elasticsearch likes."""
    chunk: list[bytes] = []
    size = 0
    for document, version in documents:
        body = json.dumps(document.body(), ensure_ascii=False).encode()
        for index in indices:
            action = {
                "_index": index,
                "_id": document.video_id,
                "version": version,
                "version_type": "external_gte",
                # Otherwise a bulk to a missing alias would create an index of that name, mapping guessed.
                "require_alias": require_alias,
            }
            chunk += [json.dumps({"index": action}).encode(), body]
            size += len(body)
        if size > _BULK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bulk(operations: list[bytes]) -> list[tuple[str, str, dict[str, Any]]]:
    """Sends one bulk request: (video id, index or alias, error) of what failed, lost versions left out."""
    with explained(), failpoints.around("index videos"):
        answer = clients.elasticsearch().bulk(operations=cast(Any, operations))
    failed = []
    for action, item in zip(operations[::2], answer["items"], strict=True):
        result = item["index"]
        if result["status"] >= 300 and result["status"] != 409:
            meant = json.loads(action)["index"]
            failed.append((meant["_id"], meant["_index"], {"status": result["status"], **result["error"]}))
    return failed


def create_missing() -> None:
    """Makes the index of videos and its alias, and the libraries; several processes may do so at once."""
    es = clients.elasticsearch()
    with explained():
        if not es.indices.exists_alias(name=videos_alias()):
            # Always the same name: of two processes that come here at once, the second finds it made.
            body = search_mapping.videos()
            _create(f"{videos_alias()}-0", {**body, "aliases": {videos_alias(): {}}})
        if not es.indices.exists(index=libraries_index()):
            _create(libraries_index(), search_mapping.libraries())


def _create(index: str, body: dict[str, Any]) -> None:
    answer = clients.elasticsearch().options(ignore_status=400).indices.create(index=index, **body)
    error = answer.get("error")
    if error and error["type"] != "resource_already_exists_exception":
        raise refusal({"status": 400, **error})


def fingerprints(video_ids: Sequence[str]) -> dict[str, str]:
    """Video id -> fingerprint of what is indexed now; what is not indexed is left out.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    if not video_ids:
        return {}
    es = clients.elasticsearch()
    with explained():
        answer = es.mget(index=videos_alias(), ids=list(video_ids), source_includes=["fingerprint"])
    # A missing index is an error of each document here, not of the request.
    return {doc["_id"]: doc["_source"]["fingerprint"] for doc in answer["docs"] if doc.get("found")}


def write_library(user_id: str, playlist_id: str, video_ids: Sequence[str], version: int) -> None:
    """Puts a playlist's videos into what the user may search; the next search sees it.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    body = {"user_id": user_id, "playlist_id": playlist_id, "video_ids": list(dict.fromkeys(video_ids))}
    _library({"index": {}}, user_id, playlist_id, version, [body])


def delete_library(user_id: str, playlist_id: str, version: int) -> None:
    """Takes a playlist out of what the user may search; the next search sees it. Raises as above."""
    _library({"delete": {}}, user_id, playlist_id, version, [])


def libraries_of(user_id: str) -> list[str]:
    """The playlists that Elasticsearch holds of a user, whatever Firestore says. Raises as above."""
    create_missing()
    query = {"term": {"user_id": user_id}}
    with explained():
        found = clients.elasticsearch().search(index=libraries_index(), query=query, size=1000)
    return [hit["_source"]["playlist_id"] for hit in found["hits"]["hits"]]


def _library(
    action: dict[str, Any], user_id: str, playlist_id: str, version: int, body: list[dict[str, Any]]
) -> None:
    create_missing()
    (kind,) = action
    action[kind] = {
        "_id": library_id(user_id, playlist_id),
        "version": version,
        "version_type": "external_gte",
    }
    with explained(), failpoints.around("index library"):
        # Terms lookups read by id, so they see a write at once; `refresh` is for who searches libraries.
        answer = clients.elasticsearch().bulk(
            index=libraries_index(), operations=[action, *body], refresh=True
        )
    result = answer["items"][0][kind]
    if result["status"] >= 300 and result["status"] != 409 and "error" in result:
        raise refusal({"status": result["status"], **result["error"]})


def refresh() -> None:
    """Makes everything written so far visible to searches.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    with explained(), failpoints.around("refresh videos"):
        clients.elasticsearch().options(ignore_status=404).indices.refresh(index=videos_alias())


# Building the index anew while searches go on: new index, fill, swap the alias, delete the old. While it
# is built, the index has an alias of its own, into which `write` writes too.


def start_rebuild() -> str:
    """Makes a new, empty index and returns its name. What a dead rebuild left over is removed.

    Raises:
        Transient: Elasticsearch does not answer.
    """
    create_missing()
    es = clients.elasticsearch()
    with explained():
        for left_over in _left_over():
            es.indices.delete(index=left_over, ignore_unavailable=True)
        index = f"{videos_alias()}-{time.time_ns() // 1_000_000}"
        body = search_mapping.videos()
        es.indices.create(index=index, **body, aliases={building_alias(): {}})
    return index


def write_rebuild(index: str, documents: Sequence[tuple[VideoDocument, int]]) -> None:
    """Writes videos into the index being built; a newer live write stays. Raises as :func:`write`."""
    _write_into(index, documents)


def finish_rebuild(index: str) -> None:
    """Searches see the new index from one moment to the next; the old one goes when nobody searches it.

    Raises:
        Transient: Elasticsearch does not answer; the alias has moved, or nothing has changed.
        Permanent: another rebuild has removed this one.
    """
    es = clients.elasticsearch()
    with explained():
        es.indices.refresh(index=index)
        old = [name for name in _indices_of(videos_alias()) if name != index]
        es.indices.update_aliases(
            actions=[
                {"add": {"index": index, "alias": videos_alias()}},
                {"remove": {"index": index, "alias": building_alias()}},
                *({"remove": {"index": name, "alias": videos_alias()}} for name in old),
            ]
        )
        for name in old:
            _delete_when_unused(name)


def _delete_when_unused(index: str) -> None:
    """A search that found the index under the alias must be able to end in it."""
    es = clients.elasticsearch()
    deadline = time.monotonic() + _LONGEST_SEARCH
    idle = 0
    while idle < _IDLE_LOOKS and time.monotonic() < deadline:
        time.sleep(0.5)
        searches = es.indices.stats(index=index, metric="search")["_all"]["total"]["search"]
        busy = searches["query_current"] + searches["fetch_current"]
        idle = 0 if busy else idle + 1
    es.indices.delete(index=index, ignore_unavailable=True)


def abandon_rebuild(index: str) -> None:
    """Removes the index being built. Raises Transient when Elasticsearch does not answer."""
    if index in _indices_of(videos_alias()):
        return
    with explained():
        clients.elasticsearch().indices.delete(index=index, ignore_unavailable=True)


def _left_over() -> list[str]:
    """Indices of videos that are not the one searched: of rebuilds that died."""
    found = clients.elasticsearch().indices.get(index=f"{videos_alias()}-*", features="aliases")
    return [name for name, about in found.items() if videos_alias() not in about["aliases"]]


def _indices_of(alias: str) -> list[str]:
    with explained():
        answer = clients.elasticsearch().options(ignore_status=404).indices.get_alias(name=alias)
    return [] if "error" in answer else list(answer)
