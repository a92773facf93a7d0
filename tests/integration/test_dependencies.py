"""Servers that are down, slow, hung, overloaded or refuse: every handler ends in time, says what it waited
for, and another delivery makes it good."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.standin.inprocess import InProcess
from infra.local.standin.inprocess import running as in_process
from infra.pipeline import load_pipeline
from shared import clients, config, documents, indexer, jobs, search_index, store, topics
from shared.config import Config
from shared.errors import Transient
from shared.search_bulk import NotWritten
from tests.faults.proxies import Fault, GrpcProxy, HttpProxy
from tests.integration.firestore_support import (
    PROJECT,
    SPOKEN,
    Seams,
    described,
    entries_of,
    fresh_ids,
    index,
    job_of,
    sweep_one,
)
from tests.integration.sick import CASES, claims_are_over, fails, indexer_case, one, planner_case, sick

#: Seconds each function has, and seconds that each kind of call is really waited for.
BUDGET = {each.name: each.timeout_seconds for each in load_pipeline(Config.from_env({})).functions}
FIRESTORE, QUERY = documents.TIMEOUT, documents.QUERY_TIMEOUT
PUBSUB, ELASTICSEARCH = topics.TIMEOUT + 1, clients.ELASTICSEARCH_TIMEOUT


@pytest.fixture(scope="module")
def proxied(firestore_emulator: str) -> Iterator[GrpcProxy]:
    """Firestore behind a proxy; this process's own client asks it there."""
    proxy = GrpcProxy(firestore_emulator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", proxy.address)
        patch.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        config.load.cache_clear()
        clients.firestore.cache_clear()
        yield proxy
        clients.firestore().close()  # type: ignore[no-untyped-call]
    config.load.cache_clear()
    clients.firestore.cache_clear()
    proxy.close()


@pytest.fixture(autouse=True)
def _well_again(proxied: GrpcProxy) -> Iterator[None]:
    yield
    proxied.heal()


@pytest.fixture
def seams(proxied: GrpcProxy, monkeypatch: pytest.MonkeyPatch) -> Seams:
    made = Seams()
    made.install(monkeypatch)
    return made


# -- Firestore -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("only", ["", "Commit"])
def test_a_firestore_that_hangs_is_not_waited_for_longer_than_there_is_time(
    name: str, only: str, youtube_for: None, proxied: GrpcProxy, seams: Seams
) -> None:
    case = CASES[name]()
    if (name, only) == ("jobs", "Commit"):
        only = "RunQuery"
    with sick(proxied, Fault("hung", only=only), documents) as fault:
        fails(case, "The database did not answer")
    seconds = sum(QUERY if each == "RunQuery" else FIRESTORE for each in fault.struck)
    assert 0 < seconds < BUDGET[name], fault.struck
    claims_are_over()
    case.act()
    case.verify()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["down", "INTERNAL", "RESOURCE_EXHAUSTED"])
def test_a_firestore_that_is_unavailable_is_waited_for_by_another_delivery(
    name: str, kind: str, youtube_for: None, proxied: GrpcProxy, seams: Seams
) -> None:
    case = CASES[name]()
    with sick(proxied, Fault(kind), documents) as fault:
        fails(case, "The database did not answer")
    assert fault.struck
    claims_are_over()
    case.act()
    case.verify()


@pytest.mark.parametrize("name", CASES)
def test_commits_that_are_aborted_are_begun_again(
    name: str, youtube_for: None, proxied: GrpcProxy, seams: Seams
) -> None:
    case = CASES[name]()
    proxied.fault = Fault("ABORTED", only="Commit", times=2)
    for _ in range(3):
        try:
            case.act()
            break
        except Transient:
            claims_are_over()
    case.verify()


@pytest.mark.parametrize("name", CASES)
def test_a_slow_firestore_only_takes_longer(
    name: str, youtube_for: None, proxied: GrpcProxy, seams: Seams
) -> None:
    case = CASES[name]()
    proxied.fault = Fault("slow", seconds=0.05)
    case.act()
    case.verify()


# -- Pub/Sub ---------------------------------------------------------------------------------------


@pytest.fixture
def pubsub(proxied: GrpcProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[GrpcProxy]:
    """One that never takes anything."""
    proxy = GrpcProxy("127.0.0.1:1")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", proxy.address)
    config.load.cache_clear()
    clients.publisher.cache_clear()
    yield proxy
    clients.publisher.cache_clear()
    config.load.cache_clear()
    proxy.close()


@pytest.mark.parametrize("kind", ["hung", "down", "INTERNAL"])
@pytest.mark.parametrize("name", ["index", "planner", "fetcher", "sweep"])
def test_a_pubsub_that_does_not_take_messages_loses_none(
    name: str, kind: str, youtube_for: None, pubsub: GrpcProxy
) -> None:
    publish = topics.publish
    with pytest.MonkeyPatch.context() as quiet:
        seams = Seams()
        seams.install(quiet)
        case = CASES[name]()
        quiet.setattr(topics, "publish", publish)
        before = {job.job_id for job in jobs.active()}
        if name == "index":
            # Accepted: the job is stored, and the sweep hands it on.
            with sick(pubsub, Fault(kind), topics) as fault:
                case.act()
            case.verify()
            (made,) = {job.job_id for job in jobs.active()} - before
            quiet.setattr(topics, "publish", seams._publish)
            assert sweep_one(job_of(made), messages_lost=True).planned_again == 1
            assert seams.playlists() == 1
        else:
            with sick(pubsub, Fault(kind), topics) as fault, pytest.raises(Transient):
                case.act()
            quiet.setattr(topics, "publish", seams._publish)
            case.act()
            case.verify()
            assert seams.published
        assert fault.struck
        assert BUDGET[name] > PUBSUB * 2


# -- Elasticsearch ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def search_proxy(elasticsearch_url: str) -> Iterator[HttpProxy]:
    proxy = HttpProxy(elasticsearch_url)
    yield proxy
    proxy.close()


@pytest.fixture
def elasticsearch(
    search_proxy: HttpProxy, proxied: GrpcProxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HttpProxy]:
    """Elasticsearch behind a proxy, an index of its own; only publishing is a seam."""
    monkeypatch.setattr(topics, "publish", lambda topic, messages: None)
    monkeypatch.setenv("ELASTICSEARCH_URL", search_proxy.url)
    monkeypatch.setenv("ELASTICSEARCH_INDEX_PREFIX", "sick")
    config.load.cache_clear()
    clients.elasticsearch.cache_clear()
    search_index.create_missing()
    yield search_proxy
    search_proxy.heal()
    clients.elasticsearch().close()
    clients.elasticsearch.cache_clear()
    config.load.cache_clear()


@pytest.mark.parametrize("kind", ["hung", "down", "429", "503", "403"])
def test_while_elasticsearch_is_away_a_video_waits_and_says_for_what(
    kind: str, elasticsearch: HttpProxy
) -> None:
    case = indexer_case()
    with sick(elasticsearch, Fault(kind)) as fault:
        fails(case, "Elasticsearch")
    assert 0 < len(fault.struck) * ELASTICSEARCH < BUDGET["indexer"], fault.struck
    case.act()
    case.verify()


def test_planning_goes_on_without_elasticsearch(youtube_for: None, elasticsearch: HttpProxy) -> None:
    case = planner_case()
    with sick(elasticsearch, Fault("hung")) as fault:
        case.act()
    case.verify()
    assert 0 < len(fault.struck) * ELASTICSEARCH < BUDGET["planner"], fault.struck


def test_a_job_does_not_end_before_elasticsearch_shows_it(elasticsearch: HttpProxy) -> None:
    job, video_id, verify = one("indexed")
    store.save(video_id, None, job_id=job.job_id, youtube_bytes=9, transcript=SPOKEN)
    elasticsearch.fault = Fault("503", only="_refresh")
    with pytest.raises(Transient, match="Elasticsearch"):
        index(job, video_id)
    verify()
    assert job_of(job.job_id).state == "running"
    elasticsearch.heal()
    assert sweep_one(job).ended == 1
    assert job_of(job.job_id).state == "done"


_BUSY = {"status": 429, "type": "es_rejected_execution_exception", "reason": "queue is full"}
_WRONG = {"status": 400, "type": "document_parsing_exception", "reason": "cannot be parsed"}


def test_single_items_of_a_bulk_that_are_refused(elasticsearch: HttpProxy) -> None:
    videos = fresh_ids(5)
    for each in videos:
        store.save(each, None, job_id="j", youtube_bytes=0, transcript=SPOKEN)
    found = [(indexer.document(described(each), _outcome(each)), 1) for each in videos]
    elasticsearch.items = {videos[1]: _BUSY, videos[3]: _WRONG}
    elasticsearch.fault = Fault("items")
    with pytest.raises(NotWritten) as raised:
        search_index.write(found)
    assert set(raised.value.failed) == {videos[1], videos[3]}
    assert set(search_index.fingerprints(videos)) == set(videos) - {videos[1], videos[3]}
    elasticsearch.heal()
    search_index.write(found)
    assert set(search_index.fingerprints(videos)) == set(videos)


def _outcome(video_id: str) -> store.Outcome:
    outcome = store.stored_of(documents.read(store.transcript_path(video_id))[0]).outcome
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(("error", "state"), [(_BUSY, "pending"), (_WRONG, "failed")])
def test_a_refused_document_waits_or_fails_by_the_reason(
    error: dict[str, Any], state: str, elasticsearch: HttpProxy
) -> None:
    job, video_id, verify = one(state)
    store.save(video_id, None, job_id=job.job_id, youtube_bytes=9, transcript=SPOKEN)
    elasticsearch.fault, elasticsearch.items = Fault("items"), {video_id: error}
    try:
        index(job, video_id)
    except Transient:
        assert state == "pending"
    verify()
    assert error["reason"] in entries_of(job.job_id)[video_id].reason


# -- what the handlers need ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def standin() -> Iterator[InProcess]:
    with in_process() as found:
        yield found


@pytest.fixture
def youtube_for(proxied: GrpcProxy, standin: InProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("YOUTUBE_API_ENDPOINT", standin.url)
    monkeypatch.setenv("YOUTUBE_API_KEY", "a-key-for-tests")
    config.load.cache_clear()
    yield
    clients.close_of_thread()
    config.load.cache_clear()
