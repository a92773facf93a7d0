"""Erasing a user: no trace is left, even if the process dies in between, and other users keep theirs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from google.cloud.firestore_v1 import Client

from infra.local.fake_youtube.live_server import LiveServer
from shared.accounts.erasure import Erasure
from shared.accounts.profiles import Profiles
from shared.accounts.sessions import Sessions
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.errors import GrantExpired
from shared.gcp.documents import Commit, Committed
from shared.keep.feeds import Feeds
from shared.keep.searches import Searches
from shared.library.checks import Checks
from shared.library.collections import SAVED, Collections
from shared.library.links import Links
from shared.library.own_playlists import OwnPlaylists
from shared.library.subscriptions import Subscriptions
from shared.oauth.crypto import Cipher
from shared.oauth.google import SCOPES, Person
from shared.pipeline.budget import Budget
from shared.pipeline.jobs import Job
from shared.pipeline.ledger import NewEntry
from shared.pipeline.start import Start
from shared.search.server import SearchServer
from shared.search.service import Search
from shared.transcripts.transcript import Answer
from shared.transcripts.videos import video_path
from shared.youtube.resources import FirstPage
from tests import libraries
from tests.integration.firestore_emulator import PROJECT
from tests.integration.http_functions import HttpFunctions
from tests.integration.interrupting import MOMENTS, InterruptedDatabase, Interruption, Moment
from tests.integration.signin_support import KEYS, OURS, Browser
from tests.integration.world import World, answering, described, fresh_ids

#: An answer that settles a video without the indexer.
PRIVATE = Answer("unavailable", reason="The video is private.")
_COLLECTIONS = (
    *("users", "memberships", "own_playlists", "starts", "grants", "sessions", "api_tokens"),
    *("usage", "clips", "searches", "feeds", "links"),
    *("jobs", "ledger", "counters", "active_jobs", "sign_in_attempts", "refreshes", "checks", "budgets"),
)


def traces(world: World, *words: str) -> list[str]:
    """The documents that contain one of the words, in their path or in their fields."""
    # Whole words only: a title that another test made up may begin like a user.
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")
    client: Any = Client(project=PROJECT)
    try:
        return [
            document.reference.path
            for name in _COLLECTIONS
            for document in client.collection_group(name).stream(timeout=30)
            if pattern.search(f"{document.reference.path} {document.to_dict()}")
        ]
    finally:
        client.close()


def is_noted(world: World, user: str) -> bool:
    return world.db.read(f"erasures/{user}")[0].data is not None


def put_membership(world: World, user: str, playlist: str, video_ids: Sequence[str]) -> None:
    libraries.put_membership(world.db, user, playlist, video_ids)
    world.memberships.show(user, playlist)


class NoSearch(Search):
    """Finds nothing."""

    def __init__(self) -> None:
        super().__init__(SearchServer(Config()))

    def ids(self, *_: object) -> list[str]:
        return []


def somebody(world: World, fake_youtube: LiveServer) -> tuple[str, list[str]]:
    """A user who has left a trace everywhere, and the ids of the user's jobs."""
    user = f"user-{uuid4().hex[:8]}"
    Profiles(world.config, world.db, world.grants).save(user, Person(user, "a@example.com", "A", None))
    token = fake_youtube.control(
        "token", {"user": "demo", "scopes": list(SCOPES), "client_id": world.config.google_oauth_client_id}
    )
    world.grants.save(user, token["refresh_token"], reads_youtube=True)
    assert OwnPlaylists(world.db, world.grants, world.youtube).of_user(user).playlists
    assert Subscriptions(world.db, world.grants, world.youtube).of_user(user)["subscriptions"]
    Collections(world.db).add(user, SAVED, {"dQw4w9WgXcQ": None})
    Start(world.config, world.db, world.topics).start(user, f"PLstarted-by-{user}")
    Sessions(world.db).begin(user, None)
    Tokens(world.db).mint(user, "laptop")
    Budget(world.db, 1_000_000).spend(user, 1)
    world.db.commit().set(f"users/{user}/clips/{uuid4().hex[:22]}", {"video_id": "video00"}).run()
    ids = []
    for number in range(2):
        job = world.jobs.begin_planning(world.new_job(user, f"PLof-{user}-{number}"), "A playlist", 3)
        videos = [f"video{number}{k}" for k in range(3)]
        world.enter(job, [NewEntry(each, "A title", k) for k, each in enumerate(videos)])
        put_membership(world, user, job.playlist_id, videos)
        world.memberships.choose(user, job.playlist_id, "daily")
        Checks(world.db).save(user, job.playlist_id, FirstPage("an-etag", (), None))
        ids.append(job.job_id)
    world.db.commit().update(f"users/{user}/memberships/PLof-{user}-0", {"privacy": "public"}).run()
    Links(world.db).make(user, f"PLof-{user}-0")
    searches = Searches(world.db, NoSearch())
    saved = searches.save(user, f"q={user}")
    Feeds(world.db, searches, NoSearch(), lambda _: True).open(user, saved["id"])
    world.jobs.seal(ids[0])
    return user, ids


@pytest.fixture
def erasure(world: World) -> Erasure:
    return Erasure(world.db, world.search_index, world.grants)


def playlists_in_index(world: World, user: str) -> int:
    return [whose for whose, _ in world.search_index.memberships].count(user)


def test_nothing_is_left_and_other_users_keep_theirs(
    google: LiveServer, world: World, erasure: Erasure
) -> None:
    user, ids = somebody(world, google)
    other, others = somebody(world, google)
    world.videos.save([described("video00")])
    assert len(traces(world, user, *ids)) > 18
    before = traces(world, other, *others)
    erasure.erase(user)
    assert traces(world, user, *ids) == []
    assert traces(world, other, *others) == before
    assert (playlists_in_index(world, user), playlists_in_index(world, other)) == (0, 2)
    assert world.db.read(video_path("video00"))[0].data is not None


def test_a_browser_erases_its_user_and_the_grant_is_revoked_at_google(
    google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    browser, elsewhere = Browser(functions), Browser(functions)
    browser.sign_in("demo")
    elsewhere.sign_in("demo")
    token = browser.web.post("/api/tokens", json={"name": "laptop"}, headers=OURS).get_json()["token"]
    grant = world.db.read("grants/demo")[0].data
    assert grant is not None
    refresh_token, _ = Cipher(KEYS).decrypt(grant["refresh_token"])
    answer = browser.web.delete("/api/me", headers=OURS)
    assert (answer.status_code, answer.data) == (204, b"")
    assert browser.cookie is None
    assert elsewhere.me().status_code == 401
    web = functions.client("account")
    assert web.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with pytest.raises(GrantExpired):
        world.google.refresh(refresh_token)
    assert traces(world, "demo") == []


class Died(BaseException):
    """The process was killed: nothing of ours catches this."""


def die_after(patch: pytest.MonkeyPatch, commits: int) -> None:
    run, left = Commit.run, iter(range(commits))

    def dies(self: Commit) -> Committed:
        if next(left, None) is None:
            raise Died
        return run(self)

    patch.setattr(Commit, "run", dies)


@pytest.mark.parametrize("commits", range(1, 20, 2))
def test_the_sweep_continues_an_erasure_whose_process_died(
    commits: int, google: LiveServer, world: World, erasure: Erasure
) -> None:
    user, ids = somebody(world, google)
    with pytest.MonkeyPatch.context() as patch:
        die_after(patch, commits)
        try:
            erasure.erase(user)
        except Died:
            assert is_noted(world, user), "the request is noted until it is complete"
    if commits > 4:
        assert not list(world.db.query("sessions", ("user_id", "==", user)))
        assert Tokens(world.db).list(user) == []
    erasure.resume_all()
    assert traces(world, user, *ids) == []
    assert playlists_in_index(world, user) == 0


@pytest.mark.parametrize("unavailable", ["google", "search index"])
def test_an_unavailable_server_delays_its_own_part_only(
    unavailable: str, google: LiveServer, world: World, erasure: Erasure
) -> None:
    user, ids = somebody(world, google)
    if unavailable == "google":
        google.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["revoke"]})
    else:
        world.search_index.broken.add("delete_membership")
    erasure.erase(user)
    left = {path.split("/")[0] for path in traces(world, user, *ids)}
    assert left == ({"grants"} if unavailable == "google" else {"users"})
    assert is_noted(world, user)
    world.search_index.broken.clear()
    google.control("reset", {"what": ["faults"]})
    erasure.resume_all()
    assert traces(world, user, *ids) == []


def test_a_user_who_comes_back_meanwhile_starts_anew(
    google: LiveServer, world: World, erasure: Erasure, functions: HttpFunctions
) -> None:
    browser = Browser(functions)
    browser.sign_in("demo")
    world.search_index.broken.add("delete_membership")
    put_membership(world, "demo", "PLbefore", ["a"])
    browser.web.delete("/api/me", headers=OURS)
    assert is_noted(world, "demo")
    assert Browser(functions).sign_in("demo") == "/?signin=failed"
    world.search_index.broken.clear()
    again = Browser(functions)
    assert again.sign_in("demo") == "/"
    erasure.resume_all()
    assert again.me().get_json()["grant"] == "ok"
    assert world.memberships.of_user("demo") == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("videos", [100, 150])
def test_a_planner_at_work_brings_nothing_back(
    google: LiveServer, world: World, moment: Moment, videos: int
) -> None:
    job = world.new_job(playlist=f"PLgen-{videos}-{uuid4().hex[:6]}")

    def erase() -> None:
        Erasure(world.db, world.search_index, world.grants).erase(job.user_id)

    interruption = Interruption(world, moment, erase)
    world.plan(job)
    assert interruption.done
    assert traces(world, job.user_id, job.job_id) == []
    assert playlists_in_index(world, job.user_id) == 0
    assert world.jobs.read(job.job_id) is None


STEPS = ("plan", "fetch", "index")


@pytest.mark.parametrize("step", STEPS)
def test_a_user_erased_just_before_a_write_leaves_no_trace(
    google: LiveServer, world: World, step: str
) -> None:
    """At each commit of a function in turn. The function has read the user's job before."""
    db, erasure = world.db, Erasure(world.db, world.search_index, world.grants)
    for number in count(1):
        job, video_id = at_step(world, step)
        erase = partial(erasure.erase, job.user_id)
        world.db = interrupted = InterruptedDatabase(world.config, number, erase)
        match step:
            case "plan":
                world.plan(job)
            case "fetch":
                world.fetch(job, video_id, answering(PRIVATE))
            case _:
                world.index(job, video_id)
        interrupted.close()
        world.db = db
        if not interrupted.done:
            break
        assert traces(world, job.user_id, job.job_id) == [], number
        assert playlists_in_index(world, job.user_id) == 0
    # At least one commit, and the last one of none.
    assert number > 2


def at_step(world: World, step: str) -> tuple[Job, str]:
    """A job for which this step comes next, and a video of it."""
    if step == "plan":
        return world.new_job(playlist=f"PLgen-60-{uuid4().hex[:6]}"), ""
    (video_id,) = fresh_ids(1)
    job = world.running([video_id])
    put_membership(world, job.user_id, job.playlist_id, [video_id])
    if step == "index":
        world.store(video_id, job_id=job.job_id)
    return job, video_id
