"""Writes the search index: videos, and the memberships that decide which users find them.

The index is a view of the store: everything in it can be written again from there. Each write carries the
version of its content (``external_gte``), so writes may be repeated and may overtake each other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

from shared.errors import DeliveryError, Transient
from shared.gcp.batching import Batcher
from shared.search.errors import OUTDATED, error_from, translate_errors
from shared.search.index import bulk, mapping
from shared.search.index.bulk import Write
from shared.search.server import TIMEOUT, SearchServer

#: Callers whose documents are sent in one bulk request, and seconds between two requests. Elasticsearch
#: syncs each request to the disk, so one request for many documents costs much less.
_BATCH, _INTERVAL = 48, 0.15
#: After so many seconds without a write, the next one can be found at once: somebody may be waiting for it.
_QUIET = 4.0
#: Seconds for which a writer remembers whether an index is being rebuilt. A rebuild makes its index with the
#: building alias, waits longer than this, and only then reads the store (shared.search.index.rebuild). So no
#: write is lost:
#:
#: - A writer that knows of the rebuild writes into both indices.
#: - A writer that does not know of it has asked before the alias existed. Its content was in the store by
#:   then, so the rebuild reads the same, or something newer.
#: - If both write the same video, the higher version stays, whichever comes first (external_gte).
REMEMBERED = 3.0


def membership_id(user_id: str, playlist_id: str) -> str:
    """The id of the document that holds the video ids of one membership."""
    return f"{user_id}:{playlist_id}"


class SearchIndex:
    """Writes the search index. Thread-safe; one object a process. ``remembered``: see REMEMBERED."""

    def __init__(
        self,
        server: SearchServer,
        *,
        remembered: float = REMEMBERED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._remembered = remembered
        self._monotonic = monotonic
        self._batcher = Batcher[Sequence[Write], None](self._write_batch, _BATCH, _INTERVAL)
        #: When documents were last written, and whether a rebuild was under way at a time.
        self._written_at = float("-inf")
        self._rebuilding = (float("-inf"), False)

    def write(self, writes: Sequence[Write]) -> None:
        """Writes videos. An older version never replaces a newer one, and that counts as success.

        While an index is being rebuilt, it gets the videos, too.

        Raises:
            Transient: the server does not answer or is overloaded. NotWritten if it refused only some videos.
            NotAccepted: (Permanent) the server does not accept some videos.
        """
        self._batcher(writes)

    def _write_batch(self, callers: Sequence[Sequence[Write]]) -> list[Exception | None]:
        quiet = self._monotonic() - self._written_at > _QUIET
        failed = self._send(chain.from_iterable(callers), refresh=quiet)
        if not failed:
            self._written_at = self._monotonic()
        return [
            bulk.error_for(
                {each.video_id: failed[each.video_id] for each in writes if each.video_id in failed}
            )
            for writes in callers
        ]

    def _send(self, writes: Iterable[Write], *, refresh: bool) -> dict[str, DeliveryError]:
        """The errors of the videos that are not written, by video id."""
        failed: dict[str, DeliveryError] = {}
        for chunk in bulk.chunks(writes):
            # Asked before the first request. If the rebuild ends after that, the second one finds out.
            rebuilding = self._is_rebuilding()
            errors = bulk.send(self._server, chunk, self._server.videos, refresh=refresh)
            if bulk.no_index(errors):
                self.create_missing()
                errors = bulk.send(self._server, chunk, self._server.videos, refresh=refresh)
            if rebuilding:
                others = bulk.send(self._server, chunk, self._server.building)
                if bulk.no_index(others):
                    # The rebuild has ended meanwhile. If it was finished, its index is searched now.
                    self._rebuilding = (float("-inf"), False)
                    others = bulk.send(self._server, chunk, self._server.videos, refresh=refresh)
                errors |= others
            failed |= errors
        return failed

    def _is_rebuilding(self) -> bool:
        asked_at, found = self._rebuilding
        # The time before the request, so that the answer is not older than it says.
        now = self._monotonic()
        if now - asked_at >= self._remembered:
            with translate_errors():
                found = bool(self._server.client.indices.exists_alias(name=self._server.building))
            self._rebuilding = (now, found)
        return found

    def fingerprints(self, video_ids: Sequence[str]) -> dict[str, str]:
        """Video id → fingerprint in the index now. Videos that are not indexed are left out.

        Raises:
            Transient: the server does not answer.
        """
        if not video_ids:
            return {}
        with translate_errors():
            answer = self._server.client.mget(
                index=self._server.videos, ids=list(video_ids), source_includes=["fingerprint"]
            )
        # A missing index is an error of each document, not of the request.
        return {each["_id"]: each["_source"]["fingerprint"] for each in answer["docs"] if each.get("found")}

    def count(self, video_ids: Sequence[str]) -> int:
        """The number of these videos that a search can find after the last :meth:`refresh`.

        Raises:
            Transient: the server does not answer.
        """
        with translate_errors():
            answer = self._server.client.count(
                index=self._server.videos, query={"ids": {"values": list(video_ids)}}
            )
        return int(answer["count"])

    def is_outdated(self, timeout: float = TIMEOUT) -> bool:
        """Whether the index has the mapping of another version, so that it has to be rebuilt.

        Raises:
            Transient: the server does not answer in ``timeout`` seconds.
        """
        client = self._server.client.options(ignore_status=404, request_timeout=timeout)
        with translate_errors():
            found = client.indices.get_mapping(index=self._server.videos)
        if "error" in found:
            return False
        versions = [about["mappings"].get("_meta", {}).get("version") for about in found.values()]
        return versions != [mapping.VERSION]

    def ping(self, timeout: float) -> None:
        """Raises as :meth:`SearchServer.ping`, and Transient when the index has to be rebuilt."""
        self._server.ping(timeout)
        if self.is_outdated(timeout):
            raise Transient(OUTDATED)

    def refresh(self) -> None:
        """Makes everything that is written visible to searches.

        Raises:
            Transient: the server does not answer.
        """
        with translate_errors(), self._server.failpoints.around("refresh videos"):
            self._server.client.options(ignore_status=404).indices.refresh(index=self._server.videos)

    def write_membership(
        self, user_id: str, playlist_id: str, video_ids: Sequence[str], version: int
    ) -> None:
        """Sets the videos of a playlist that the user may find. The next search sees it.

        Raises:
            Transient: the server does not answer.
        """
        body = {"user_id": user_id, "playlist_id": playlist_id, "video_ids": list(dict.fromkeys(video_ids))}
        self._send_membership("index", user_id, playlist_id, version, [body])

    def delete_membership(self, user_id: str, playlist_id: str, version: int) -> None:
        """Removes a playlist from the library that the user can search, at once. Raises as above."""
        self._send_membership("delete", user_id, playlist_id, version, [])

    def playlists_of(self, user_id: str) -> list[str]:
        """The playlists of a user that the index holds, whatever the database says. Raises as above."""
        self.create_missing()
        query = {"term": {"user_id": user_id}}
        with translate_errors():
            found = self._server.client.search(index=self._server.libraries, query=query, size=1000)
        return [hit["_source"]["playlist_id"] for hit in found["hits"]["hits"]]

    def _send_membership(
        self, verb: str, user_id: str, playlist_id: str, version: int, body: list[dict[str, Any]]
    ) -> None:
        self.create_missing()
        about = {
            "_id": membership_id(user_id, playlist_id),
            "version": version,
            "version_type": "external_gte",
        }
        with translate_errors(), self._server.failpoints.around("index library"):
            # A terms lookup reads by id and sees a write at once. `refresh` is for searches of this index.
            answer = self._server.client.bulk(
                index=self._server.libraries, operations=[{verb: about}, *body], refresh=True
            )
        result = answer["items"][0][verb]
        if result["status"] >= 300 and result["status"] != 409 and "error" in result:
            raise error_from({"status": result["status"], **result["error"]})

    def create_missing(self) -> None:
        """Makes the indices that do not exist. Several processes may do so at the same time."""
        indices = self._server.client.indices
        with translate_errors():
            if not indices.exists_alias(name=self._server.videos):
                # Always the same name, so that of two processes the second one finds it made.
                body = {**mapping.videos(), "aliases": {self._server.videos: {}}}
                self._create(f"{self._server.videos}-0", body)
            if not indices.exists(index=self._server.libraries):
                self._create(self._server.libraries, mapping.memberships())

    def _create(self, index: str, body: dict[str, Any]) -> None:
        answer = self._server.client.options(ignore_status=400).indices.create(index=index, **body)
        error = answer.get("error")
        if error and error["type"] != "resource_already_exists_exception":
            raise error_from({"status": 400, **error})
