"""Search by meaning: the passages whose vectors are nearest to a question, or to another passage.

Passages are found by the ids of their videos alone. So a filter is searched in the index of videos first. The
texts come from there, too: the index of passages knows only where they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from msgspec.structs import replace

from shared import logs
from shared.errors import BadRequest, ModelMissing
from shared.meaning.embedder import Model
from shared.meaning.store import PassageStore
from shared.search import facets
from shared.search.answers import ByMeaning, Related
from shared.search.answers import Found as Answer
from shared.search.compiler import Clause, language_clause
from shared.search.errors import SearchRefused
from shared.search.index.analysis import clean
from shared.search.index.folding import has_word
from shared.search.language import MAXIMUM_LENGTH, parse
from shared.search.nearest_sentence import mark
from shared.search.pages import Pages
from shared.search.params import MAXIMUM_LIMIT, Params
from shared.search.passages import PASSAGE, QUESTION, Found, hit_of, marked_of, passages_of, place_of
from shared.search.placing import Placing
from shared.search.query import And, Filter, Node, Not, Query, Word
from shared.search.scope import Near, Nearest, Scope
from shared.search.serving import Serving, State
from shared.search.video import find_video

#: Passages of a video that are shown.
PASSAGES = 3
#: Passages of a video that may be related to another one: of its own, three are the passage and those beside.
_RELATED = 4
_OFF = "Search by meaning is off here. Search by words."
_PREPARING = "Nothing can be searched by meaning yet: that is being prepared. Search by words meanwhile."
_NOTHING = "No passage is near this in meaning. Ask in other words, or search by words."
_PLAIN = "By meaning, “phrases”, OR, word*, word~ and fields such as title: are read as plain words."
_TOO_LONG = "The search took too long and was ended early; there may be more passages."
_NO_PASSAGES = (
    "This video has no passages to compare: it has no captions in a language that is searched by meaning, or "
    "they are being prepared."
)


class Meaning:
    """Thread-safe; one object a process. Its methods raise Transient when a server does not answer."""

    def __init__(self, serving: Serving, store: PassageStore) -> None:
        self.serving = serving
        self._store = store

    def search(self, scope: Scope, pages: Pages, params: Params, placing: Placing) -> Answer:
        """The answer to ``GET /api/search?by=meaning``, without ``took_ms``.

        Raises:
            BadRequest: there is no word in the question, or the filters find too much.
        """
        asked = _Asked.read(params.q)
        now = self.serving.now()
        if now.model is None:
            return _nothing(now.state, _OFF if now.state == "off" else _PREPARING)
        try:
            embedder, vector = self.serving.ask(now.model, asked.text)
        except ModelMissing as error:
            return _nothing("off", str(error))
        limits = _limits(scope, pages, params, placing, asked.held)
        near = [Near(vector, MAXIMUM_LIMIT, PASSAGES, within) for within in limits]
        nearest = _nearest(scope, now.model, near)
        if nearest is None:
            return _nothing("preparing", _PREPARING)
        found = passages_of(nearest.found[0], QUESTION)
        counted = dict.fromkeys(chain(found, *(passages_of(each, QUESTION) for each in nearest.found[1:])))
        sources, counts = _videos(scope, params, list(found)[: params.limit], list(counted))
        shown = [
            [marked_of(each, sources[video_id]) for each in found[video_id]]
            for video_id in list(found)[: params.limit]
            if video_id in sources
        ]
        mark(embedder, vector, shown)
        notices = [*asked.notices, *([] if shown else [_NOTHING]), *([_TOO_LONG] if nearest.partial else [])]
        answer: Answer = {
            "match": "meaning",
            "total": len(found),
            "took_ms": 0,
            "hits": [hit_of(sources[passages[0].video_id], passages) for passages in shown],
            "facets": facets.view(counts, scope, len(found)) if counts else facets.nothing(),
            "did_you_mean": None,
            "cursor": None,
            "meaning": _counts(nearest, now.model),
        }
        if notices:
            answer["notices"] = notices
        return answer

    def related(self, scope: Scope, video_id: str, start: float, limit: int) -> Related:
        """The answer to ``GET /api/videos/{id}/related``. ``start``: seconds.

        Raises:
            BadRequest: the video has no such second.
            NotFound: the video is not in the caller's library, or is not indexed.
        """
        source = find_video(scope, video_id)
        lasting = source.get("duration_seconds")
        # YouTube says whole seconds, and the last captions may begin a little later.
        if lasting and start > lasting + 1:
            expected = f"a second of the video, from 0 to {lasting}"
            raise BadRequest(f"start: expected {expected}, found {start:.10g}.")
        now = self.serving.now()
        if now.model is None:
            return _no_places(_OFF if now.state == "off" else _PREPARING)
        stored = self._store.read(now.model.name, [video_id]).get(video_id)
        places = stored.unpack_places() if stored else []
        if stored is None or not places or "line_offsets" not in source:
            return _no_places(_NO_PASSAGES)
        number = max((at for at, place in enumerate(places) if place.start <= start * 1000), default=0)
        near = Near(stored.vector(number), MAXIMUM_LIMIT, _RELATED)
        nearest = _nearest(scope, now.model, [near])
        if nearest is None:
            return _no_places(_PREPARING)
        found = chain.from_iterable(passages_of(nearest.found[0], PASSAGE).values())
        others = [each for each in found if each.video_id != video_id or abs(each.number - number) > 1]
        chosen = sorted(others, key=lambda each: -each.score)[:limit]
        sources, _ = _videos(scope, None, [each.video_id for each in chosen], [])
        here = places[number]
        itself = Found(video_id, number, here.start / 1000, here.end / 1000, "strong", 1.0)
        passage = marked_of(itself, source)
        return {
            "passage": {"start": passage.start, "end": passage.end, "text": passage.plain},
            "places": [
                place_of(sources[each.video_id], marked_of(each, sources[each.video_id]))
                for each in chosen
                if each.video_id in sources
            ],
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """``text``: for the model. ``held``: filters and exclusions of the query language, which hold."""

    text: str
    held: tuple[Node, ...]
    notices: tuple[str, ...]

    @classmethod
    def read(cls, q: str) -> _Asked:
        query = parse(q)
        parts = query.anded()
        held = tuple(part for part in parts if isinstance(part, Filter | Not))
        # What is no filter is asked as it was typed. Filters cannot be cut out of the text, but words can.
        text = " ".join(term.text for term in query.terms()) if held else clean(q[:MAXIMUM_LENGTH])
        if not has_word(text):
            raise BadRequest("q: expected a question, or words, to search by meaning.")
        plain = all(part in held or (isinstance(part, Word) and part.field is None) for part in parts)
        return cls(text, held, (*query.notices, *(() if plain else (_PLAIN,))))


def _limits(
    scope: Scope, pages: Pages, params: Params, placing: Placing, held: tuple[Node, ...]
) -> list[list[Clause]]:
    """The clauses that limit the hits; and those without what is chosen in the facets, if they differ."""
    bare = replace(params, q="", sort="relevance", limit=1)
    base = replace(bare, playlists=(), channels=(), languages=(), after=None, before=None)
    query = Query(And(held)) if held else Query(None)

    def within(params: Params) -> list[Clause]:
        clauses = [scope.in_playlists(params.playlists)] if params.playlists else []
        rest = replace(params, playlists=())
        if held or rest.narrows:
            clauses.append({"terms": {"video_id": pages.ids(scope, query, rest, placing)}})
        return clauses

    return [within(bare), within(base)] if bare != base else [within(bare)]


def _nearest(scope: Scope, model: Model, near: Sequence[Near]) -> Nearest | None:
    """None if there is no index of this model's passages, or nothing to search."""
    if not scope.playlists:
        return Nearest([[] for _ in near], 0, 0, False)
    try:
        return scope.nearest(model.name, near, _captioned(model))
    except SearchRefused as error:
        if error.no_index:
            return None
        logs.error("a search by meaning was refused", error, detail=error.detail)
        raise BadRequest("This could not be searched by meaning. Try fewer or simpler words.") from error


def _captioned(model: Model) -> Clause:
    """Videos whose captions are in a language of the model."""
    if not model.languages:
        return {"exists": {"field": "language"}}
    clauses = [language_clause(code) for code in sorted(model.languages)]
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _videos(
    scope: Scope, params: Params | None, shown: Sequence[str], counted: Sequence[str]
) -> tuple[dict[str, Mapping[str, Any]], Mapping[str, Any] | None]:
    """The documents of videos by id, and the counts of facets over others. ``params``: what is chosen.

    A video that has no captions any more is left out, whatever the index of passages still has.
    """
    ids = list(dict.fromkeys([*shown, *counted]))
    if not ids:
        return {}, None
    aggregations = facets.aggregations(scope, facets.filters(scope, params)) if params else None
    answer = scope.search(
        {"bool": {"filter": [{"terms": {"video_id": ids}}]}},
        size=len(shown),
        post_filter={"terms": {"video_id": list(shown)}},
        source={"excludes": ["line_durations", "fingerprint"]},
        aggs=aggregations,
    )
    sources = {hit["_id"]: hit["_source"] for hit in answer["hits"]["hits"]}
    captioned = {each: source for each, source in sources.items() if "line_offsets" in source}
    return captioned, answer.get("aggregations")


def _counts(nearest: Nearest, model: Model) -> ByMeaning:
    return {
        "state": "on",
        "videos": nearest.embedded,
        "of": max(nearest.counted, nearest.embedded),
        "languages": sorted(model.languages),
    }


def _nothing(state: State, notice: str) -> Answer:
    return {
        "match": "meaning",
        "total": 0,
        "took_ms": 0,
        "hits": [],
        "facets": facets.nothing(),
        "did_you_mean": None,
        "cursor": None,
        "meaning": {"state": state, "videos": 0, "of": 0, "languages": []},
        "notices": [notice],
    }


def _no_places(notice: str) -> Related:
    return {"passage": None, "places": [], "notices": [notice]}
