"""The one place that sends searches to Elasticsearch: every one carries the caller's library as a filter."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import clients
from shared.errors import Permanent
from shared.search_errors import explained, refusal
from shared.search_index import libraries_index, library_id, videos_alias
from shared.search_query import EVERYTHING, NOTHING, Clause

#: Seconds a shard may work on a search before it answers with what it has; costly queries end here.
TIMEOUT = "10s"
#: How long a page's successor can be asked for with the index as it was.
KEEP_ALIVE = "2m"
#: So long (seconds) which languages a library has is remembered: a new one is stemmed so much later.
REMEMBERED = 5.0
#: Libraries whose languages are remembered by one process.
_MOST_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """What one caller may find: the videos of the playlists in their library."""

    user_id: str
    playlists: tuple[str, ...]

    @classmethod
    def of(cls, user_id: str, playlists: Sequence[str]) -> Scope:
        return cls(user_id, tuple(dict.fromkeys(playlists)))

    def of_playlist(self, playlist_id: str) -> Clause:
        """The videos of one playlist of the library; nothing, if it is not there."""
        if playlist_id not in self.playlists:
            return NOTHING
        lookup = {
            "index": libraries_index(),
            "id": library_id(self.user_id, playlist_id),
            "path": "video_ids",
        }
        return {"terms": {"video_id": lookup}}

    def of_playlists(self, playlists: Sequence[str]) -> Clause:
        clauses = [self.of_playlist(playlist_id) for playlist_id in playlists]
        return {"bool": {"should": clauses, "minimum_should_match": 1}} if clauses else NOTHING

    def search(self, query: Clause, *, pit: str | None = None, **body: Any) -> dict[str, Any]:
        """Searches within the library; ``body`` is the rest of Elasticsearch's request.

        Raises:
            Transient: Elasticsearch does not answer.
            Permanent: it refuses the request.
        """
        where: dict[str, Any] = (
            {"pit": {"id": pit, "keep_alive": KEEP_ALIVE}} if pit else {"index": videos_alias()}
        )
        with explained():
            answer = clients.elasticsearch().search(
                query=self._within(query), **{"timeout": TIMEOUT, **where, **body}
            )
        return dict(answer.body)

    def search_all(self, requests: Sequence[tuple[Clause, Mapping[str, Any]]]) -> list[dict[str, Any]]:
        """Several searches in one round trip, each a query and its body. Raises as :meth:`search`."""
        searches: list[dict[str, Any]] = []
        for query, body in requests:
            searches += [{}, {"query": self._within(query), "timeout": TIMEOUT, **body}]
        with explained():
            answers = clients.elasticsearch().msearch(index=videos_alias(), searches=searches)["responses"]
        for answer in answers:
            if "error" in answer:
                raise refusal({**answer["error"], "status": answer["status"]})
        return list(answers)

    def _within(self, query: Clause) -> Clause:
        return {"bool": {"must": [query], "filter": [self.of_playlists(self.playlists)]}}


_remembered: dict[tuple[str, Scope], tuple[float, list[str]]] = {}


def analyzers_within(scope: Scope) -> list[str]:
    """The analyzers of the videos in the library: only their fields need to be searched.

    Remembered for a moment, because it costs as much as a search. What it leaves out is no secret
    that has to go at once, and no video: only other forms of words in a language that is new here.
    """
    now = time.monotonic()
    key = (videos_alias(), scope)
    known = _remembered.get(key)
    if known is None or now - known[0] > REMEMBERED:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        known = _remembered[key] = (now, _analyzers(scope))
    return known[1]


def _analyzers(scope: Scope) -> list[str]:
    aggregation = {"analyzers": {"terms": {"field": "analyzer", "size": 100}}}
    answer = scope.search(EVERYTHING, size=0, track_total_hits=False, aggs=aggregation)
    return [bucket["key"] for bucket in answer["aggregations"]["analyzers"]["buckets"]]


def open_point_in_time() -> str:
    """Freezes what searches see, so that pages neither repeat nor lose a hit while indexing goes on."""
    with explained():
        answer = clients.elasticsearch().open_point_in_time(index=videos_alias(), keep_alive=KEEP_ALIVE)
    return str(answer["id"])


def close_point_in_time(pit: str) -> None:
    with explained():
        clients.elasticsearch().options(ignore_status=404).close_point_in_time(id=pit)


def unknown_index(error: Permanent) -> bool:
    """Nothing has been indexed yet: not an error, but an empty library."""
    return "index_not_found_exception" in str(error)


def gone(error: Permanent) -> bool:
    """The frozen index was let go (it was kept for :data:`KEEP_ALIVE`), or is none."""
    return any(sign in str(error) for sign in ("search_context_missing", "status 404", "point in time"))


def too_costly(error: Permanent) -> bool:
    """The query has more clauses than the server's memory allows."""
    return "too_many" in str(error) or "maxClauseCount" in str(error)
