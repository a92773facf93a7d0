"""How much of each source in a library can be found by meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.meaning.embedder import Model
from shared.search.compiler import language_clause
from shared.search.errors import error_from, translate_errors
from shared.search.index.writer import membership_id
from shared.search.server import SearchServer

#: Seconds. Nobody should wait for these numbers.
_TIMEOUT = 3.0


@dataclass(frozen=True, slots=True)
class Progress:
    """``videos`` can be found by meaning, ``of`` those that have captions in a language of the model."""

    videos: int
    of: int


class PassageCounts:
    """Thread-safe; one object a process."""

    def __init__(self, server: SearchServer) -> None:
        self._server = server

    def of_sources(self, model: Model, user_id: str, playlist_ids: Sequence[str]) -> dict[str, Progress]:
        """By playlist id, in one request.

        Raises:
            Transient: the server does not answer. SearchRefused: there is no index yet.
        """
        if not playlist_ids:
            return {}
        by_words: dict[str, Any] = {"exists": {"field": "language"}}
        if model.languages:
            spoken = [language_clause(each) for each in sorted(model.languages)]
            by_words = {"bool": {"should": spoken, "minimum_should_match": 1}}
        searches: list[dict[str, Any]] = []
        for playlist_id in playlist_ids:
            lookup = {
                "index": self._server.libraries,
                "id": membership_id(user_id, playlist_id),
                "path": "video_ids",
            }
            for index, clause in (
                (self._server.passages(model.name), {"term": {"known": True}}),
                (self._server.videos, by_words),
            ):
                query = {"bool": {"filter": [{"terms": {"video_id": lookup}}, clause]}}
                searches += [{"index": index}, {"query": query, "size": 0, "track_total_hits": True}]
        with translate_errors():
            answers = self._server.client.options(request_timeout=_TIMEOUT).msearch(searches=searches)
        totals = []
        for answer in answers["responses"]:
            if "error" in answer:
                raise error_from({**answer["error"], "status": answer["status"]})
            totals.append(int(answer["hits"]["total"]["value"]))
        # Of a video whose captions are in another language since, the passages may be there a little longer.
        pairs = zip(playlist_ids, totals[::2], totals[1::2], strict=True)
        return {playlist_id: Progress(min(held, of), of) for playlist_id, held, of in pairs}
