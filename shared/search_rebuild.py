"""Rebuilding the index of videos while searches go on: new index, fill, swap the alias, delete the old.

While it is built, the index has an alias of its own, into which :func:`shared.search_index.write` writes too.
Each process notices the alias within :data:`shared.search_index.REMEMBERED` seconds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from shared import clients, search_bulk, search_mapping
from shared.errors import DeliveryError
from shared.search_bulk import Write
from shared.search_documents import VideoDocument
from shared.search_errors import explained, refusal
from shared.search_index import REMEMBERED, building_alias, create_missing, videos_alias

#: Seconds after which every process knows of a rebuild, with some to spare for Elasticsearch's own nodes. See
#: search_index.REMEMBERED for why that matters.
WAIT = REMEMBERED + 2.0
#: Seconds after which no search can be under way any more, and how many idle looks in a row are enough.
_LONGEST_SEARCH, _IDLE_LOOKS = 30.0, 4


def start(*, wait: float = WAIT) -> str:
    """Creates a new, empty index, and returns its name when all live writes go into it too.

    Fill it with what is read from the store after that. Indices that dead rebuilds left are deleted.
    ``wait``: seconds from the creation of the index to the return. A test with one process need not wait.

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
    time.sleep(wait)
    return index


def write(index: str, documents: Sequence[tuple[VideoDocument, int]]) -> None:
    """Writes videos into the index being built; a newer live write stays. Raises as search_index.write."""
    failed: dict[str, DeliveryError] = {}
    for chunk in search_bulk.chunks(Write.of(document, version) for document, version in documents):
        errors = search_bulk.send(chunk, index, is_alias=False)
        failed |= {video_id: refusal(error) for video_id, error in errors.items()}
    if error := search_bulk.error_of(failed):
        raise error


def finish(index: str) -> None:
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
    # Searches that wait for a refresh are not counted as under way yet.
    es.indices.refresh(index=index, ignore_unavailable=True)
    deadline = time.monotonic() + _LONGEST_SEARCH
    idle = 0
    while idle < _IDLE_LOOKS and time.monotonic() < deadline:
        time.sleep(0.5)
        searches = es.indices.stats(index=index, metric="search")["_all"]["total"]["search"]
        busy = searches["query_current"] + searches["fetch_current"]
        idle = 0 if busy else idle + 1
    es.indices.delete(index=index, ignore_unavailable=True)


def abandon(index: str) -> None:
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
