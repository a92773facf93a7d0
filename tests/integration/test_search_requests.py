"""The requests of a search: each is restricted to the caller's library, and a too costly one is repeated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError, Elasticsearch

from shared.gcp.firestore import Firestore
from shared.meaning.store import PassageStore
from shared.search.meaning import Meaning
from shared.search.params import Params
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.search.serving import Serving
from tests.integration.meaning_library import embed
from tests.integration.search_library import TITLES, USER, VIDEOS, SearchLibrary, config_of, filled_library


class RecordingClient:
    """The real client. It records the queries of all searches, and can refuse the next search."""

    def __init__(self, client: Elasticsearch) -> None:
        self._client = client
        self.queries: list[dict[str, Any]] = []
        #: Searches by meaning.
        self.near: list[dict[str, Any]] = []
        self.refusal: ApiError | None = None

    def search(self, **request: Any) -> Any:
        self.queries.append(request["query"])
        if error := self.refusal:
            self.refusal = None
            raise error
        return self._client.search(**request)

    def msearch(self, **request: Any) -> Any:
        if error := self.refusal:
            self.refusal = None
            refused = {"status": error.meta.status, **error.body}
            return {"responses": [refused for _ in request["searches"][1::2]]}
        bodies = request["searches"][1::2]
        self.queries += [each["query"] for each in bodies if "query" in each]
        self.near += [each["knn"] for each in bodies if "knn" in each]
        return self._client.msearch(**request)

    def __getattr__(self, name: str) -> Any:
        if name in ("async_search", "count", "esql", "get", "mget", "mtermvectors", "sql", "termvectors"):
            raise AssertionError(f"a search reads documents with {name}, without the filter")
        return getattr(self._client, name)


class RecordingServer(SearchServer):
    def __init__(self, url: str, prefix: str) -> None:
        super().__init__(config_of(url, prefix))
        self.recording = RecordingClient(super().client)

    @property
    def client(self) -> Any:
        return self.recording


@pytest.fixture(scope="module")
def library(elasticsearch_url: str) -> Iterator[SearchLibrary]:
    with filled_library(elasticsearch_url) as library:
        yield library


@pytest.fixture
def server(elasticsearch_url: str, library: SearchLibrary) -> Iterator[RecordingServer]:
    made = RecordingServer(elasticsearch_url, library.prefix)
    yield made
    made.client.close()


def test_every_request_is_restricted_to_the_library(server: RecordingServer, db: Firestore) -> None:
    embed(server, db, [VIDEOS[0], VIDEOS[1]])
    server.recording.queries.clear()
    meaning = Meaning(Serving(db, "use"), PassageStore(db))
    search = Search(server, meaning, export_page=2)
    lookups = [
        {
            "terms": {
                "video_id": {"index": server.libraries, "id": f"{USER}:{each}", "path": "video_ids"},
            }
        }
        for each in TITLES
    ]
    first = search.search(USER, TITLES, Params(q="sea", limit=2))
    search.search(USER, TITLES, Params(q="sea", limit=2, cursor=first["cursor"]))
    assert search.search(USER, TITLES, Params(q="why the sea", playlists=("PLtalks",)))["total"] == 1
    # Its facets come from its hits, each of which names its playlists.
    assert search.search(USER, TITLES, Params(q='"why the sea"'))["total"] == 1
    assert search.search(USER, TITLES, Params(q="bolwine"))["did_you_mean"] == "bowline"
    assert len(list(search.every_hit(USER, TITLES, Params(q="sea")))) == 3
    assert search.suggest(USER, TITLES, "the sea ri")
    assert search.video(USER, TITLES, "tides")[1]
    assert search.matches(USER, TITLES, "tides", "sea")["moments"]
    assert search.search(USER, TITLES, Params(q="sea bowline zanzibar"))["match"] == "some_words"
    asked = Params(q="why does the sea rise", by="meaning", languages=("en",), minimum_minutes=1)
    assert search.search(USER, TITLES, asked)["hits"]
    assert search.related(USER, TITLES, "tides", 0.0, 10)["passage"]
    queries = server.recording.queries
    assert len(queries) >= 12
    named = [
        {"terms": {**lookup["terms"], "_name": name}} for name, lookup in zip(TITLES, lookups, strict=True)
    ]
    within, also = ({"bool": {"should": each, "minimum_should_match": 1}} for each in (lookups, named))
    for query in queries:
        (limit,) = query["bool"]["filter"]
        assert limit in (within, also)
        assert query == {"bool": {"must": query["bool"]["must"], "filter": [limit]}}
    # One search with the filters and one for the facets, and one for related places.
    assert len(server.recording.near) == 3
    for near in server.recording.near:
        assert near["filter"][0] == within


def test_a_query_with_too_many_clauses_is_repeated_without_other_forms_of_words(
    server: RecordingServer,
) -> None:
    search = Search(server)
    assert search.search(USER, TITLES, Params(q="sailor"))["total"] == 1
    meta = ApiResponseMeta(400, "1.1", HttpHeaders(), 0.0, NodeConfig("http", "localhost", 9200))
    body = {"error": {"type": "x", "caused_by": {"type": "too_many_nested_clauses"}}, "status": 400}
    calls: list[Callable[[], int]] = [
        lambda: search.search(USER, TITLES, Params(q="sailor"))["total"],
        lambda: len(search.matches(USER, TITLES, "ropes", "sailor")["moments"]),
    ]
    for again in calls:
        server.recording.refusal = ApiError("x", meta, body)
        assert again() == 0, "only 'sailors' was said"
    assert search.search(USER, TITLES, Params(q="sailor"))["total"] == 1
