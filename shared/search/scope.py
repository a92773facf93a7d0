"""The only place that sends searches to Elasticsearch: each one carries the caller's library as a filter.

See docs/decisions/search-scope.md.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.search.compiler import EVERYTHING, NOTHING, Clause
from shared.search.errors import error_from, translate_errors
from shared.search.index.writer import membership_id
from shared.search.server import SearchServer

#: A shard that has worked on a search for this long answers with the hits that it has.
TIMEOUT = "10s"
#: How long Elasticsearch keeps a point in time after its last use.
KEEP_ALIVE = "2m"
#: Seconds for which the analyzers of a library are remembered.
REMEMBERED = 5.0
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Near:
    """A search for the passages whose vectors are nearest to one.

    ``videos``: how many are found at most, each with at most ``passages`` of its own. ``within``: clauses
    that limit the videos, by their ids alone.
    """

    vector: bytes
    videos: int
    passages: int
    within: Sequence[Clause] = ()


@dataclass(frozen=True, slots=True)
class Nearest:
    """``found``: for each search its videos, that with the nearest passage first, as Elasticsearch returns
    them. ``embedded``: videos of the library with vectors. ``counted``: those that match the clause.
    ``partial``: Elasticsearch ran out of time.
    """

    found: Sequence[Sequence[Mapping[str, Any]]]
    embedded: int
    counted: int
    partial: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """The library of one caller. Searches find only the videos of its playlists.

    ``titles``: playlist id → title, of all playlists in the library.
    """

    server: SearchServer
    user_id: str
    titles: Mapping[str, str]

    @property
    def playlists(self) -> tuple[str, ...]:
        return tuple(self.titles)

    def in_playlist(self, playlist_id: str, *, named: bool = False) -> Clause:
        """The videos of one playlist; none, if the playlist is not in the library.

        ``named``: the id of the playlist is among the ``matched_queries`` of its hits.
        """
        if playlist_id not in self.titles:
            return NOTHING
        lookup = {
            "index": self.server.libraries,
            "id": membership_id(self.user_id, playlist_id),
            "path": "video_ids",
        }
        name = {"_name": playlist_id} if named else {}
        return {"terms": {"video_id": lookup, **name}}

    def in_playlists(self, playlists: Sequence[str], *, named: bool = False) -> Clause:
        clauses = [self.in_playlist(playlist_id, named=named) for playlist_id in playlists]
        return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else NOTHING

    def search(
        self, query: Clause, *, pit: str | None = None, named: bool = False, **body: Any
    ) -> dict[str, Any]:
        """Searches the library. ``body``: the rest of Elasticsearch's request. ``pit``: a point in time.

        ``named``: the ``matched_queries`` of a hit are the playlists that hold it.

        Raises:
            Transient: Elasticsearch does not answer.
            SearchRefused: it refuses the request.
        """
        where: dict[str, Any] = (
            {"pit": {"id": pit, "keep_alive": KEEP_ALIVE}} if pit else {"index": self.server.videos}
        )
        with translate_errors():
            answer = self.server.client.search(
                query=self._within(query, named), **{"timeout": TIMEOUT, **where, **body}
            )
        return dict(answer.body)

    def search_all(self, requests: Sequence[tuple[Clause, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Several searches in one request, each a query and its body. Raises as :meth:`search`."""
        return self._search_each([({}, {"query": self._within(query), **body}) for query, body in requests])

    def nearest(self, model: str, searches: Sequence[Near], counted: Clause) -> Nearest:
        """Searches passages by their vectors, and counts videos, in one request. Raises as :meth:`search`.

        ``model``: of the vectors. ``counted``: a clause about videos of the library.
        """
        passages = {"index": self.server.passages(model)}
        count = {"size": 0, "track_total_hits": True}
        answers = self._search_each(
            [
                *((passages, self._near(search)) for search in searches),
                (passages, {"query": self._within({"term": {"known": True}}), **count}),
                ({}, {"query": self._within(counted), **count}),
            ]
        )
        embedded, counts = (answer["hits"]["total"]["value"] for answer in answers[-2:])
        return Nearest(
            [answer["hits"]["hits"] for answer in answers[:-2]],
            embedded,
            counts,
            any(answer["timed_out"] for answer in answers),
        )

    def _near(self, search: Near) -> dict[str, Any]:
        return {
            "knn": {
                "field": "passages.vector",
                "query_vector": search.vector.hex(),
                "k": search.videos,
                "num_candidates": search.videos,
                "filter": [self.in_playlists(self.playlists), *search.within],
                "inner_hits": {"size": search.passages},
            },
            "size": search.videos,
            "_source": False,
        }

    def _search_each(
        self, searches: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]
    ) -> list[dict[str, Any]]:
        """Searches with their headers. Their filters are there already."""
        parts = [part for header, body in searches for part in (header, {"timeout": TIMEOUT, **body})]
        with translate_errors():
            answers = self.server.client.msearch(index=self.server.videos, searches=parts)["responses"]
        for answer in answers:
            if "error" in answer:
                raise error_from({**answer["error"], "status": answer["status"]})
        return list(answers)

    def _within(self, query: Clause, named: bool = False) -> Clause:
        library = self.in_playlists(self.playlists, named=named)
        return {"bool": {"must": [query], "filter": [library]}}

    def open_point_in_time(self) -> str:
        """Freezes the index for later pages, so that no hit is repeated or lost while indexing goes on.

        It is of the whole index. Searches in it carry the filter, too. Raises as :meth:`search`.
        """
        with translate_errors():
            answer = self.server.client.open_point_in_time(index=self.server.videos, keep_alive=KEEP_ALIVE)
        return str(answer["id"])

    def close_point_in_time(self, pit: str) -> None:
        """Raises as :meth:`search`."""
        with translate_errors():
            self.server.client.options(ignore_status=404).close_point_in_time(id=pit)


class LibraryAnalyzers:
    """The analyzers of the videos in a library. Only the fields of these need to be searched.

    Asking costs as much as a search, so the answer is remembered for :data:`REMEMBERED` seconds. An outdated
    answer neither hides videos nor shows too many. But in a language that is new to the library, words are
    found only as they were typed, and no moments are shown.
    """

    def __init__(self) -> None:
        self._remembered: dict[tuple[str, tuple[str, ...]], tuple[float, list[str]]] = {}

    def of(self, scope: Scope, remembered: float = REMEMBERED) -> list[str]:
        """``remembered``: seconds. Raises as :meth:`Scope.search`."""
        now = time.monotonic()
        key = (scope.user_id, scope.playlists)
        asked_at, analyzers = self._remembered.get(key, (float("-inf"), []))
        if now - asked_at >= remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            analyzers = _analyzers(scope)
            self._remembered[key] = (now, analyzers)
        return analyzers


def _analyzers(scope: Scope) -> list[str]:
    aggregation = {"analyzers": {"terms": {"field": "analyzer", "size": 100}}}
    answer = scope.search(EVERYTHING, size=0, track_total_hits=False, aggs=aggregation)
    return [bucket["key"] for bucket in answer["aggregations"]["analyzers"]["buckets"]]
