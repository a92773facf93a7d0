"""The index of videos in Elasticsearch, and the libraries whose videos may be searched.

A view of the store: everything here can be written again from there. Writes carry the version of what
they show (``external_gte``), so deliveries may repeat and overtake each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from time import monotonic
from typing import Any

from shared import clients, config, failpoints, search_bulk, search_mapping
from shared.batching import Batcher
from shared.errors import DeliveryError
from shared.search_bulk import Write
from shared.search_documents import VideoDocument
from shared.search_errors import explained, refusal

#: The most calls of :func:`write` in one batch, and seconds between two batches. Elasticsearch syncs its log
#: to the disk at each bulk request.
_MAX_CALLS, _INTERVAL = 48, 0.15
#: After so many seconds without a document the next is found at once: somebody may be waiting for it.
_QUIET = 4.0


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
        search_bulk.NotWritten: (Transient) Elasticsearch is down, slow, overloaded; `failed` says which ids.
        search_bulk.Refused: (Permanent) Elasticsearch refuses documents; `failed` says which ids and why.
    """
    # Each thread makes its own, while Elasticsearch works at what others have sent.
    _write_batched([Write.of(document, version) for document, version in documents])


#: Seconds for which a process remembers whether an index is being rebuilt. A rebuild creates its index with
#: the building alias, waits longer than this, and only then reads the store (search_rebuild.WAIT). So no
#: write is lost:
#:
#: - A writer that knows of the rebuild writes into both indices.
#: - A writer that does not know of it asked before the alias existed, so it decides before the rebuild reads
#:   the store. What it writes was in the store when it decided: the rebuild reads that, or something newer.
#: - If both write the same video, the higher version stays, in whatever order they come (external_gte).
REMEMBERED = 3.0


class _Rebuild:
    """Whether an index is being rebuilt, as far as this process knows. Only one thread at a time writes."""

    def __init__(self) -> None:
        self._asked = float("-inf")
        self._running = False

    def running(self) -> bool:
        """Raises Transient when Elasticsearch does not answer: then nothing is written."""
        now = monotonic()
        if now - self._asked >= REMEMBERED:
            with explained():
                running = bool(clients.elasticsearch().indices.exists_alias(name=building_alias()))
            # The time before the request: the answer is not older than this says.
            self._asked, self._running = now, running
        return self._running

    def forget(self) -> None:
        self._asked = float("-inf")


_rebuild = _Rebuild()


def _write(writes: Iterable[Write], *, refresh: bool) -> dict[str, DeliveryError]:
    """Writes, and returns the errors of the documents that are not written, by video id."""
    failed: dict[str, DeliveryError] = {}
    for chunk in search_bulk.chunks(writes):
        # Before the first request: a rebuild that ends between the two requests is met below.
        rebuilding = _rebuild.running()
        errors = search_bulk.send(chunk, videos_alias(), refresh=refresh)
        if any(map(search_bulk.no_index, errors.values())):
            create_missing()
            errors = search_bulk.send(chunk, videos_alias(), refresh=refresh)
        if rebuilding:
            there = search_bulk.send(chunk, building_alias())
            if any(map(search_bulk.no_index, there.values())):
                # The rebuild has ended meanwhile. If it was not abandoned, the new index is searched now.
                _rebuild.forget()
                there = search_bulk.send(chunk, videos_alias(), refresh=refresh)
            errors |= there
        failed |= {video_id: refusal(error) for video_id, error in errors.items()}
    return failed


#: When this process last wrote documents: by ``time.monotonic``.
_written = -_QUIET


def _write_all(callers: Sequence[Sequence[Write]]) -> list[Exception | None]:
    global _written
    quiet = monotonic() - _written > _QUIET
    failed = _write(chain.from_iterable(callers), refresh=quiet)
    if not failed:
        _written = monotonic()
    return [
        search_bulk.error_of(
            {each.video_id: failed[each.video_id] for each in writes if each.video_id in failed}
        )
        for writes in callers
    ]


_write_batched = Batcher[Sequence[Write]](_write_all, max_items=_MAX_CALLS, interval=_INTERVAL)


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
