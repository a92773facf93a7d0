"""Rebuilding the index of videos while searches go on: make, fill, swap the alias, delete the old one.

While it is filled, the new index has an alias of its own. :class:`shared.search.index.writer.SearchIndex`
writes through that alias, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from shared.errors import DeliveryError
from shared.search.errors import translate_errors
from shared.search.index import bulk, mapping
from shared.search.index.bulk import Write
from shared.search.index.writer import REMEMBERED, SearchIndex
from shared.search.server import SearchServer

#: Seconds after which every writer knows of the new index, with some to spare.
PAUSE = REMEMBERED + 2.0
#: Seconds after which no search can still run, and how many idle checks in a row are enough.
_LONGEST_SEARCH, _IDLE_CHECKS = 30.0, 4


class Rebuild:
    """Rebuilds the index of videos. ``pause``: see PAUSE. A test with one process need not wait."""

    def __init__(
        self, server: SearchServer, *, pause: float = PAUSE, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._server = server
        self._pause = pause
        self._sleep = sleep

    @contextmanager
    def index(self) -> Iterator[Building]:
        """A new, empty index. It is removed if the block does not finish it; then the old one stays in use.

        Raises:
            Transient: the server does not answer.
        """
        building = Building(self._server, self._create())
        try:
            self._sleep(self._pause)
            yield building
        finally:
            if not building.finished:
                building.abandon()

    def _create(self) -> str:
        SearchIndex(self._server).create_missing()
        indices = self._server.client.indices
        with translate_errors():
            # Indices of rebuilds that died: all that the alias does not name.
            found = indices.get(index=f"{self._server.videos}-*", features="aliases")
            for name, about in found.items():
                if self._server.videos not in about["aliases"]:
                    indices.delete(index=name, ignore_unavailable=True)
            index = f"{self._server.videos}-{time.time_ns() // 1_000_000}"
            indices.create(index=index, **mapping.videos(), aliases={self._server.building: {}})
        return index


class Building:
    """The index that is being built."""

    def __init__(self, server: SearchServer, index: str) -> None:
        self._server = server
        self._index = index
        self.finished = False

    def write(self, writes: Sequence[Write]) -> None:
        """Writes videos. A newer live write stays. Raises as :meth:`SearchIndex.write`."""
        failed: dict[str, DeliveryError] = {}
        for chunk in bulk.chunks(writes):
            failed |= bulk.send(self._server, chunk, self._index, is_alias=False)
        if error := bulk.error_for(failed):
            raise error

    def finish(self) -> None:
        """Lets all searches use this index from now on, and deletes the old one when no search uses it.

        Raises:
            Transient: the server does not answer. The alias has moved, or nothing has changed.
            SearchRefused: another rebuild has removed this index.
        """
        indices = self._server.client.indices
        with translate_errors():
            indices.refresh(index=self._index)
            old = [name for name in self._searched() if name != self._index]
            indices.update_aliases(
                actions=[
                    {"add": {"index": self._index, "alias": self._server.videos}},
                    {"remove": {"index": self._index, "alias": self._server.building}},
                    *({"remove": {"index": name, "alias": self._server.videos}} for name in old),
                ]
            )
            self.finished = True
            for name in old:
                self._delete_when_unused(name)

    def abandon(self) -> None:
        """Removes the index, unless it is searched already. Raises Transient."""
        with translate_errors():
            if self._index not in self._searched():
                self._server.client.indices.delete(index=self._index, ignore_unavailable=True)

    def _searched(self) -> list[str]:
        """The indices that the alias names."""
        answer = self._server.client.options(ignore_status=404).indices.get_alias(name=self._server.videos)
        return [] if "error" in answer else list(answer)

    def _delete_when_unused(self, index: str) -> None:
        """A search that has found the old index under the alias must be able to end in it."""
        indices = self._server.client.indices
        # Searches that wait for a refresh are not counted as running yet.
        indices.refresh(index=index, ignore_unavailable=True)
        deadline = time.monotonic() + _LONGEST_SEARCH
        idle = 0
        while idle < _IDLE_CHECKS and time.monotonic() < deadline:
            time.sleep(0.5)
            searches = indices.stats(index=index, metric="search")["_all"]["total"]["search"]
            busy = searches["query_current"] + searches["fetch_current"]
            idle = 0 if busy else idle + 1
        indices.delete(index=index, ignore_unavailable=True)
