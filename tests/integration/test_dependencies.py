"""Servers that are down, slow, overloaded, hang or refuse: every handler ends in time and says why.

Another delivery, or another request, then succeeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from infra.pipeline import load_pipeline
from shared.config import Config
from shared.errors import Transient
from shared.gcp import firestore, pubsub
from shared.gcp.firestore import Firestore
from shared.gcp.pubsub import Topics
from shared.search import server
from shared.search.index.bulk import NotWritten
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from tests.faults.proxies import Fault, GrpcProxy, HttpProxy
from tests.integration.firestore_emulator import connected
from tests.integration.handlers import NAMES, SHORT, Case, Handlers, failing
from tests.integration.http_functions import HttpFunctions
from tests.integration.world import World, fresh_ids
from tests.stored_videos import video

#: Seconds that each function has, and seconds that one call of each kind takes at most.
BUDGET = {each.name: each.timeout_seconds for each in load_pipeline(Config.from_env({})).functions}
FIRESTORE, QUERY = firestore.TIMEOUT, firestore.QUERY_TIMEOUT
PUBSUB, ELASTICSEARCH = pubsub.TIMEOUT + 1, server.TIMEOUT


@pytest.fixture(scope="module")
def proxy(firestore_emulator: str) -> Iterator[GrpcProxy]:
    """A proxy in front of Firestore."""
    made = GrpcProxy(firestore_emulator)
    yield made
    made.close()


@pytest.fixture(scope="module")
def db(proxy: GrpcProxy) -> Iterator[Firestore]:
    with connected(proxy.address) as db:
        yield db


@pytest.fixture(autouse=True)
def _healed(proxy: GrpcProxy) -> Iterator[None]:
    yield
    proxy.heal()


@pytest.fixture
def config(config: Config, proxy: GrpcProxy) -> Config:
    return replace(config, firestore_emulator_host=proxy.address)


@pytest.fixture
def handlers(youtube: LiveServer, world: World, functions: HttpFunctions) -> Handlers:
    return Handlers(world, functions)


def fails(case: Case, sentence: str) -> None:
    with pytest.raises(Transient, match=sentence):
        case.act()


def end_claims(world: World) -> None:
    """As half a minute later, when the claims of workers that died have run out."""
    for snapshot in world.db.query("transcripts", ("claimed_until", "!=", None)):
        world.db.commit().set(snapshot.path, {"claimed_until": None}, merge=True).run()


# -- Firestore ---------------------------------------------------------------------------------------


#: What a handler says while Firestore does not answer. The sweep counts trouble with a job.
DATABASE = r"The database did not answer in time\.|The job could not be swept\."


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("only", ["", "Commit"])
def test_no_handler_waits_for_a_hanging_database_longer_than_it_has_time(
    name: str, only: str, world: World, handlers: Handlers, functions: HttpFunctions, proxy: GrpcProxy
) -> None:
    case = handlers.case(name)
    if (name, only) == ("jobs", "Commit"):
        only = "RunQuery"
    with failing(proxy, Fault("hung", only=only), world.db, *functions.databases()) as fault:
        fails(case, DATABASE)
    seconds = sum(QUERY if each == "RunQuery" else FIRESTORE for each in fault.struck)
    assert 0 < seconds < BUDGET[name], fault.struck
    end_claims(world)
    case.act()
    case.verify()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["down", "INTERNAL", "RESOURCE_EXHAUSTED"])
def test_a_handler_succeeds_once_the_database_answers_again(
    name: str, kind: str, world: World, handlers: Handlers, functions: HttpFunctions, proxy: GrpcProxy
) -> None:
    case = handlers.case(name)
    with failing(proxy, Fault(kind), world.db, *functions.databases()) as fault:
        fails(case, DATABASE)
    assert fault.struck
    end_claims(world)
    case.act()
    case.verify()


@pytest.mark.parametrize("name", NAMES)
def test_aborted_commits_are_tried_again(
    name: str, world: World, handlers: Handlers, proxy: GrpcProxy
) -> None:
    case = handlers.case(name)
    proxy.fault = Fault("ABORTED", only="Commit", times=2)
    for _ in range(3):
        try:
            case.act()
            break
        except Transient:
            end_claims(world)
    case.verify()


@pytest.mark.parametrize("name", NAMES)
def test_with_a_slow_database_a_handler_succeeds(name: str, handlers: Handlers, proxy: GrpcProxy) -> None:
    case = handlers.case(name)
    proxy.fault = Fault("slow", seconds=0.05)
    case.act()
    case.verify()


# -- Pub/Sub -----------------------------------------------------------------------------------------


@pytest.fixture
def failing_topics(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[GrpcProxy]:
    """The proxy in front of a Pub/Sub that takes no message. The world publishes to it."""
    proxy = GrpcProxy("127.0.0.1:1")
    # Google's client finds the emulator by the environment alone.
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", proxy.address)
    world.topics.real = Topics(world.config)
    yield proxy
    proxy.close()


@pytest.mark.parametrize("kind", ["hung", "down", "INTERNAL"])
def test_a_job_that_could_not_be_published_is_published_by_the_sweep(
    kind: str, world: World, failing_topics: GrpcProxy, handlers: Handlers
) -> None:
    before = {job.job_id for job in world.jobs.active()}
    case = handlers.case("index")
    assert world.topics.real
    with failing(failing_topics, Fault(kind), world.topics.real) as fault:
        case.act()
    case.verify()
    assert fault.struck
    (job_id,) = {job.job_id for job in world.jobs.active()} - before
    assert world.topics.published == []
    world.topics.real = None
    assert world.sweep(world.job(job_id), messages_lost=True).planned_again == 1
    assert world.topics.playlists() == 1
    assert BUDGET["index"] > PUBSUB * 2


@pytest.mark.parametrize("kind", ["hung", "down", "INTERNAL"])
@pytest.mark.parametrize("name", ["planner", "fetcher", "sweep"])
def test_another_delivery_publishes_what_could_not_be_published(
    name: str, kind: str, world: World, failing_topics: GrpcProxy, handlers: Handlers
) -> None:
    case = handlers.case(name)
    assert world.topics.real
    with failing(failing_topics, Fault(kind), world.topics.real) as fault:
        fails(case, r"The work could not be queued\.|The job could not be swept\.")
    assert fault.struck
    world.topics.real = None
    case.act()
    case.verify()
    assert world.topics.published
    assert BUDGET[name] > PUBSUB * 2


# -- Elasticsearch -----------------------------------------------------------------------------------


class Elasticsearch:
    """The real server behind a proxy. The world writes to indices of its own there."""

    def __init__(self, world: World, proxy: HttpProxy) -> None:
        self.proxy = proxy
        self._recorder = world.search_index
        prefix = f"t{uuid4().hex[:12]}"
        config = Config(elasticsearch_url=proxy.url, elasticsearch_index_prefix=prefix)
        self._server, self._impatient = SearchServer(config), SearchServer(config, timeout=SHORT)
        self.index = self._recorder.real = SearchIndex(self._server)
        self.index.create_missing()

    def fail(self, fault: Fault) -> Fault:
        """Gives the server a fault until it is healed. While it hangs, the timeout is short."""
        self.proxy.fault = fault
        if fault.kind == "hung":
            self._recorder.real = SearchIndex(self._impatient)
        return fault

    def heal(self) -> None:
        self.proxy.heal()
        self._recorder.real = self.index

    def remove(self) -> None:
        self.heal()
        for index in (f"{self._server.videos}-0", self._server.libraries):
            self._server.client.indices.delete(index=index)
        for each in (self._server, self._impatient):
            each.client.close()


@pytest.fixture(scope="module")
def search_proxy(elasticsearch_url: str) -> Iterator[HttpProxy]:
    made = HttpProxy(elasticsearch_url)
    yield made
    made.close()


@pytest.fixture
def elasticsearch(search_proxy: HttpProxy, world: World) -> Iterator[Elasticsearch]:
    made = Elasticsearch(world, search_proxy)
    yield made
    made.remove()


@pytest.mark.parametrize("kind", ["hung", "down", "429", "503", "403"])
def test_while_the_search_index_fails_a_video_waits_and_says_so(
    kind: str, world: World, elasticsearch: Elasticsearch, handlers: Handlers
) -> None:
    case = handlers.case("indexer")
    fault = elasticsearch.fail(Fault(kind))
    fails(case, "The search index")
    assert 0 < len(fault.struck) * ELASTICSEARCH < BUDGET["indexer"], fault.struck
    elasticsearch.heal()
    case.act()
    case.verify()


def test_planning_goes_on_while_the_search_index_hangs(
    elasticsearch: Elasticsearch, handlers: Handlers
) -> None:
    case = handlers.case("planner")
    fault = elasticsearch.fail(Fault("hung"))
    case.act()
    case.verify()
    assert 0 < len(fault.struck) * ELASTICSEARCH < BUDGET["planner"], fault.struck


def test_a_job_is_not_done_before_its_videos_can_be_found(
    world: World, elasticsearch: Elasticsearch, handlers: Handlers
) -> None:
    job, video_id, verify = handlers.pending("indexed")
    world.store(video_id, job_id=job.job_id)
    elasticsearch.fail(Fault("503", only="_refresh"))
    with pytest.raises(Transient, match="The search index"):
        world.index(job, video_id)
    verify()
    assert world.job(job.job_id).state == "running"
    elasticsearch.heal()
    assert world.sweep(job).ended == 1
    assert world.job(job.job_id).state == "done"


_BUSY = {"status": 429, "type": "es_rejected_execution_exception", "reason": "queue is full"}
_WRONG = {"status": 400, "type": "document_parsing_exception", "reason": "cannot be parsed"}


def test_the_other_videos_of_a_request_are_written_when_some_are_refused(
    elasticsearch: Elasticsearch,
) -> None:
    index = elasticsearch.index
    videos = fresh_ids(5)
    writes = [video(each, "A title", "en", "what is said").write() for each in videos]
    elasticsearch.proxy.items = {videos[1]: _BUSY, videos[3]: _WRONG}
    elasticsearch.fail(Fault("items"))
    with pytest.raises(NotWritten) as raised:
        index.write(writes)
    assert set(raised.value.failed) == {videos[1], videos[3]}
    assert set(index.fingerprints(videos)) == set(videos) - {videos[1], videos[3]}
    elasticsearch.heal()
    index.write(writes)
    assert set(index.fingerprints(videos)) == set(videos)


def test_a_video_that_is_refused_for_now_waits(
    world: World, elasticsearch: Elasticsearch, handlers: Handlers
) -> None:
    job, video_id, verify = handlers.pending("pending")
    world.store(video_id, job_id=job.job_id)
    elasticsearch.proxy.items = {video_id: _BUSY}
    elasticsearch.fail(Fault("items"))
    with pytest.raises(Transient) as raised:
        world.index(job, video_id)
    verify()
    assert world.entry(job, video_id).reason == "The search index did not take the video."
    assert "queue is full" in str(raised.value.detail)


def test_a_video_that_is_refused_for_good_fails(
    world: World, elasticsearch: Elasticsearch, handlers: Handlers
) -> None:
    job, video_id, verify = handlers.pending("failed")
    world.store(video_id, job_id=job.job_id)
    elasticsearch.proxy.items = {video_id: _WRONG}
    elasticsearch.fail(Fault("items"))
    world.index(job, video_id)
    verify()
    assert world.entry(job, video_id).reason == "The search index does not accept the video."
