"""Whatever fails, people read sentences: no names of documents, servers, variables or classes.

People read the details of HTTP problems, the errors of jobs, the reasons of videos and the notices of the
dashboard. Everything else about a failure is in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.endpoints import VIDEO_ENDPOINTS
from infra.local.fake_youtube.faults.rules import KINDS
from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.errors import Transient
from shared.gcp.pubsub import Topics
from shared.oauth.google import SCOPES, Google
from shared.oauth.grants import Grants
from shared.pipeline.jobs import Job
from shared.search.errors import error_from
from shared.search.index.bulk import Write, error_for
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.youtube.data_api import DataApi
from shared.youtube.egress.routing import Routing
from tests.integration.handlers import SHORT
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.recorders import RecordingIndex
from tests.integration.world import World, define, fresh_ids

#: No server answers there.
NOWHERE, NOWHERE_URL = "127.0.0.1:1", "http://127.0.0.1:1"
#: Servers, paths of documents, classes, code, and variables. Words of YouTube's own are allowed.
FORBIDDEN = re.compile(
    r"(?i:firestore|elastic|pub/?sub|grpc|https?:|127\.0\.0\.1|localhost|shard|bulk)"
    r"|(?:jobs|ledger|users|memberships|videos|transcripts|egress|sessions|api_tokens|grants|starts)/"
    r"|\b[A-Z]\w*(?:Error|Exception)\b|Traceback|\bNone\b|[<>{}\[\]]|[a-z]_[a-z]"
    rf"|{'|'.join(each.name.upper() for each in fields(Config) if '_' in each.name)}"
)


def assert_readable(sentences: list[str]) -> None:
    assert sentences
    for each in sentences:
        assert each[:1].isupper(), each
        assert each.endswith("."), each
        assert 10 < len(each) < 300, each
        assert not FORBIDDEN.search(each), each
        assert not ("retried" in each and "Given up" in each), each
        parts = each.split(". ")
        assert len(parts) == len(set(parts)), f"it says something twice: {each}"


# -- what people read --------------------------------------------------------------------------------

REQUESTS = {
    "account": [("GET", "/api/me"), ("GET", "/api/tokens"), ("POST", "/api/tokens"), ("DELETE", "/api/me")],
    "index": [("POST", "/api/index")],
    "jobs": [
        ("GET", "/api/jobs"),
        ("GET", "/api/jobs/none"),
        ("GET", "/api/jobs/none/videos"),
        ("POST", "/api/jobs/none/retry"),
    ],
    "library": [("GET", "/api/playlists"), ("DELETE", "/api/playlists/PLx")],
    "search": [("GET", "/api/search?q=a"), ("GET", "/api/suggest?q=abc"), ("GET", "/api/videos/a")],
}


def details(functions: HttpFunctions, headers: dict[str, str], only: str | None = None) -> list[str]:
    """The details of all problems that requests are answered with."""
    found = []
    for name, requests in REQUESTS.items():
        if only in (None, name):
            web = functions.client(name)
            for db in functions.databases():
                db.timeout = db.query_timeout = SHORT
            for method, path in requests:
                body = {"playlist": "PLx"} if method == "POST" else None
                answer = web.open(path, method=method, headers=headers, json=body)
                if answer.status_code >= 400:
                    assert answer.mimetype == "application/problem+json"
                    found.append(answer.get_json()["detail"])
    return found


def job_errors(world: World, playlist_id: str | None = None, user_id: str | None = None) -> list[str]:
    """The error of a job whose planning fails, now and when it was tried too often."""
    job = world.new_job(user_id, playlist_id or f"PLgen-3-{uuid4().hex[:6]}")
    with suppress(Transient):
        world.plan(job)
    first = world.view(job)["error"]
    world.dead_letter_of_planning(job)
    return [str(first), str(world.view(job)["error"])]


def reasons(world: World, job: Job, video_id: str, deliver: Callable[[], object]) -> list[str]:
    """The reason of a video that cannot be handled, now and when it was tried too often."""
    with suppress(Transient):
        deliver()
    first = world.entry(job, video_id).reason
    for worn in (False, True):
        with suppress(Transient):
            world.dead_letter(job, video_id, worn=worn)
    return [first, world.entry(job, video_id).reason]


# -- servers of ours ---------------------------------------------------------------------------------


def test_problems_while_the_database_does_not_answer(
    world: World, functions: HttpFunctions, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = bearer(world, "ada")
    # Google's client finds the emulator by the environment, at the first request of each function.
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", NOWHERE)
    found = details(functions, headers)
    assert len(found) == sum(map(len, REQUESTS.values()))
    assert_readable(found)


def test_problems_while_the_search_index_does_not_answer(world: World) -> None:
    world.config = replace(world.config, elasticsearch_url=NOWHERE_URL)
    functions = HttpFunctions(world)
    user_id = f"user-{uuid4().hex[:8]}"
    job = world.new_job(user_id, f"PLgen-3-{uuid4().hex[:6]}")
    world.plan(job)
    found = details(functions, bearer(world, user_id), "search")
    functions.close()
    assert len(found) == len(REQUESTS["search"])
    assert_readable(found)


def test_problems_of_a_server_that_is_not_configured(world: World, functions: HttpFunctions) -> None:
    user_id = f"user-{uuid4().hex[:8]}"
    world.plan(world.new_job(user_id, f"PLgen-3-{uuid4().hex[:6]}"))
    found = details(functions, bearer(world, user_id), "search")
    assert len(found) == len(REQUESTS["search"])
    assert_readable(found)


def test_the_error_of_a_job_of_a_server_that_is_not_configured(world: World) -> None:
    world.youtube = DataApi(replace(world.config, youtube_api_key=None))
    assert_readable(job_errors(world))


def test_the_error_of_a_job_whose_videos_cannot_be_queued(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", NOWHERE)
    world.topics.real = Topics(world.config, timeout=SHORT)
    assert_readable(job_errors(world))


def test_the_reason_of_a_video_while_the_search_index_does_not_answer(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.store(video_id)
    server = SearchServer(replace(world.config, elasticsearch_url=NOWHERE_URL))
    world.search_index.real = SearchIndex(server)
    assert_readable(reasons(world, job, video_id, lambda: world.index(job, video_id)))


@pytest.mark.parametrize("status", [400, 403, 413, 429, 500, 503])
def test_the_reason_of_a_video_that_the_search_index_refuses(world: World, status: int) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.store(video_id)
    error = {"status": status, "type": "mapper_exception", "reason": f"[yts-videos][0] of {NOWHERE_URL}"}
    world.search_index = RefusingIndex(error)
    assert_readable(reasons(world, job, video_id, lambda: world.index(job, video_id)))


class RefusingIndex(RecordingIndex):
    """Refuses all videos with an error of Elasticsearch."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__()
        self._error = error_from(error)

    def write(self, writes: Sequence[Write]) -> None:
        error = error_for({each.video_id: self._error for each in writes})
        assert error is not None
        raise error


def test_the_reason_of_a_video_whose_workers_die(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.dead_letter(job, video_id, worn=False)
    first = world.entry(job, video_id).reason
    world.dead_letter(job, video_id)
    assert_readable([first, world.entry(job, video_id).reason])


# -- YouTube and Google ------------------------------------------------------------------------------


def test_the_error_of_a_job_while_youtube_does_not_answer(world: World) -> None:
    world.youtube = DataApi(replace(world.config, youtube_api_endpoint=NOWHERE_URL))
    assert_readable(job_errors(world))


@pytest.mark.parametrize("kind", sorted(kind for kind, struck in KINDS.items() if "data_api" in struck))
def test_the_error_of_a_job_that_youtube_does_not_list(youtube: LiveServer, world: World, kind: str) -> None:
    youtube.control("faults", {"kind": kind})
    assert_readable(job_errors(world))


@pytest.mark.parametrize("playlist_id", ["PLnobody-knows-this", "WL", "PLempty"])
def test_the_error_of_a_playlist_that_cannot_be_indexed(
    youtube: LiveServer, world: World, playlist_id: str
) -> None:
    define(youtube, "PLempty", [])
    assert_readable(job_errors(world, playlist_id))


def test_notices_and_errors_while_google_does_not_answer(
    google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    user_id = f"user-{uuid4().hex[:8]}"
    token = google.control("token", {"user": "demo", "scopes": list(SCOPES)})
    world.grants.save(user_id, token["refresh_token"], reads_youtube=True)
    unreachable = replace(world.config, google_oauth_token_uri=f"{NOWHERE_URL}/token")
    world.grants = Grants(world.db, Google(unreachable), unreachable)
    answer = functions.client("library").get("/api/playlists", headers=bearer(world, user_id))
    notices = [each["detail"] for each in answer.get_json()["notices"]]
    assert any("Google" in each for each in notices)
    private = f"PL{uuid4().hex[:12]}"
    define(google, private, [], owner="demo", privacy="private")
    assert_readable(notices + job_errors(world, private, user_id))


#: What a video's page, player or captions may answer. Some never end, or are very long.
ANSWERS = sorted(
    (kind, endpoint)
    for kind, struck in KINDS.items()
    for endpoint in struck & set(VIDEO_ENDPOINTS)
    if kind not in ("hang", "slow", "huge")
)


@pytest.mark.parametrize(("kind", "endpoint"), ANSWERS)
def test_the_reason_of_a_video_that_youtube_does_not_show(
    youtube: LiveServer, world: World, kind: str, endpoint: str
) -> None:
    job = world.new_job(playlist=f"PLgen-1-{uuid4().hex[:6]}-short")
    world.plan(job)
    (video_id,) = world.topics.videos()
    youtube.control("faults", {"kind": kind, "endpoints": [endpoint], "forever": True})

    def deliver() -> None:
        world.fetch(job, video_id, patience=0)
        if world.topics.videos("transcripts"):
            world.index(job, video_id)

    found = reasons(world, job, video_id, deliver)
    assert_readable([each for each in found if each])


def test_the_reason_of_a_video_while_youtube_does_not_answer(world: World) -> None:
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    world.routing = Routing(replace(world.config, youtube_base_url=NOWHERE_URL), world.db)
    assert_readable(reasons(world, job, video_id, lambda: world.fetch(job, video_id)))
