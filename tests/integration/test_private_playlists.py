"""Private playlists are listed with the user's own grant and are invisible to all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.errors import GrantExpired, JobFailed, Transient
from shared.library.memberships import Membership
from shared.oauth.crypto import Cipher
from shared.oauth.google import Google
from shared.oauth.grants import Grants
from shared.pipeline.jobs import Job
from shared.transcripts.videos import Metadata, video_path
from shared.youtube.data_api import DataApi
from shared.youtube.resources import Item
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.signin_support import KEYS, OURS, Browser
from tests.integration.world import Clock, World, define, fresh_ids

AGAIN = "Sign in again with Google, then press Refresh."


def planned(world: World, user: str, playlist: str) -> Job:
    job = world.new_job(user, playlist)
    world.plan(job)
    return world.job(job.job_id)


def membership(world: World, user: str, playlist: str) -> Membership:
    found = world.memberships.read(user, playlist)
    assert found is not None
    return found


def private(google: LiveServer, videos: list[Any], owner: str = "demo") -> str:
    playlist_id = f"PL{uuid4().hex[:12]}"
    define(google, playlist_id, videos, title="A secret list", owner=owner, privacy="private")
    return playlist_id


def dashboard(browser: Browser) -> dict[str, Any]:
    answer = browser.at("library").get("/api/playlists")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def demo(google: LiveServer, functions: HttpFunctions) -> Browser:
    browser = Browser(functions)
    assert browser.sign_in("demo") == "/"
    return browser


# -- listing -----------------------------------------------------------------------------------------


def test_a_private_playlist_looks_missing_to_everybody_but_its_owner(
    demo: Browser, google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    assert Browser(functions).sign_in("other") == "/"
    videos = fresh_ids(3)
    playlist_id = private(google, list(videos))
    mine = planned(world, "demo", playlist_id)
    assert (mine.state, mine.title, mine.total) == ("running", "A secret list", 3)
    held = membership(world, "demo", playlist_id)
    assert (held.privacy, set(held.video_ids)) == ("private", set(videos))
    nowhere = f"PL{uuid4().hex[:12]}"
    for stranger in ("other", f"nobody-{uuid4().hex[:6]}"):
        theirs, missing = planned(world, stranger, playlist_id), planned(world, stranger, nowhere)
        assert (theirs.state, theirs.title, theirs.total, theirs.listed) == ("failed", "", None, 0)
        assert (theirs.error, theirs.state) == (missing.error, missing.state)
        assert world.memberships.read(stranger, playlist_id) is None


def test_liked_videos_are_each_persons_own(
    demo: Browser, google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    assert Browser(functions).sign_in("other") == "/"
    mine, theirs = planned(world, "demo", "LL"), planned(world, "other", "LL")
    held, others = membership(world, "demo", "LL"), membership(world, "other", "LL")
    assert (mine.title, theirs.title) == ("Liked videos", "Liked videos")
    assert set(held.video_ids) != set(others.video_ids)
    unknown = planned(world, f"nobody-{uuid4().hex[:6]}", "LL")
    assert unknown.state == "failed"
    assert "sign in with Google" in str(unknown.error)


def test_a_public_playlist_needs_no_grant(demo: Browser, google: LiveServer, world: World) -> None:
    google.control("oauth", {"dead_grant": True})
    assert planned(world, "demo", f"PLgen-3-{uuid4().hex[:6]}-short").state == "running"


def test_watch_later_is_explained_at_once(demo: Browser, google: LiveServer) -> None:
    web = demo.at("index")
    for each in ("WL", "https://www.youtube.com/playlist?list=WL", "HL"):
        answer = web.post("/api/index", json={"playlist": each}, headers=OURS)
        assert answer.status_code == 400
        assert "Watch Later" in answer.get_json()["detail"]


# -- the store, which all users share ----------------------------------------------------------------


def test_a_private_video_leaves_no_trace_in_the_store(
    demo: Browser, google: LiveServer, world: World
) -> None:
    """YouTube shows the video to its owner. Nobody else may learn of it here."""
    (hidden, plain) = fresh_ids(2)
    google.control(
        "playlists",
        {"videos": [{"id": hidden, "title": "My medical history", "status": "private", "owner": "demo"}]},
    )
    playlist_id = private(google, [{"id": hidden}, plain])
    mine = planned(world, "demo", playlist_id)
    entries = world.entries(mine.job_id)
    assert (entries[hidden].state, entries[hidden].title) == ("unavailable", "My medical history")
    assert (entries[plain].state, world.topics.videos()) == ("pending", [plain])
    assert world.db.read(video_path(hidden))[0].data is None
    # Another user puts the video into a playlist of their own.
    theirs = f"PL{uuid4().hex[:12]}"
    google.control("playlists", {"playlists": [{"id": theirs, "videos": [hidden], "owner": "other"}]})
    job = planned(world, "other-reader", theirs)
    assert world.entries(job.job_id)[hidden].title == "Private video"


def test_a_video_that_became_private_is_shown_to_those_who_had_it_only(
    google: LiveServer, clock_of_test: Clock, world: World
) -> None:
    """The owner makes the video private when its metadata and transcript are in the store already."""
    (video, other) = fresh_ids(2)
    google.control("playlists", {"videos": [{"id": video, "title": "Seen by all"}]})
    early, late = f"PL{uuid4().hex[:12]}", f"PL{uuid4().hex[:12]}"
    define(google, early, [{"id": video}])
    reader, stranger = f"reader-{uuid4().hex[:6]}", f"stranger-{uuid4().hex[:6]}"
    job = planned(world, reader, early)
    google.control("playlists", {"videos": [{"id": video, "status": "private", "owner": "demo"}]})
    define(google, late, [{"id": video}, other])
    theirs = planned(world, stranger, late)
    assert world.entries(theirs.job_id)[video].title == "Private video"
    assert world.entries(theirs.job_id)[video].state == "unavailable"
    held = membership(world, stranger, late)
    assert held.video_ids == (other,)
    # A user who had the video in this playlist keeps it, and its title.
    world.jobs.cancel(job.job_id)
    again = planned(world, reader, early)
    kept = membership(world, reader, early)
    assert kept.video_ids == (video,)
    assert world.entries(again.job_id)[video].title == "Seen by all"


class _KnowsNoVideo(DataApi):
    """A Data API that lists videos, but does not know them when it is asked with our key."""

    def videos(self, video_ids: Sequence[str]) -> list[Metadata]:
        return []


def test_a_video_that_youtube_shows_to_one_person_only_is_not_stored(
    demo: Browser, google: LiveServer, world: World
) -> None:
    """The list does not mark the video as private, but videos.list with our key does not know it."""
    (video,) = fresh_ids(1)
    playlist_id = private(google, [video])
    world.youtube = _KnowsNoVideo(world.config)
    job = planned(world, "demo", playlist_id)
    assert world.entries(job.job_id)[video].reason == "YouTube shows this video to nobody but you."
    assert world.db.read(video_path(video))[0].data is None
    assert world.topics.videos() == []


# -- an expired grant --------------------------------------------------------------------------------


def test_an_expired_grant_asks_the_person_to_sign_in_again(
    demo: Browser, google: LiveServer, world: World
) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("oauth", {"dead_grant": True})
    job = planned(world, "demo", playlist_id)
    assert (job.state, job.error) == ("failed", AGAIN)
    assert demo.me().get_json()["grant"] == "expired"
    # Signing in again is all that is needed.
    google.control("oauth", {"dead_grant": False})
    assert demo.sign_in() == "/"
    assert demo.me().get_json()["grant"] == "ok"
    assert planned(world, "demo", playlist_id).state == "running"


class _RevokedAfterTheFirstPage(DataApi):
    """The Data API, until the user revokes the grant while a playlist is being listed."""

    def __init__(self, config: Config, fake_youtube: LiveServer) -> None:
        super().__init__(config)
        self._standin = fake_youtube

    def pages(self, *about: Any, **more: Any) -> Iterator[Sequence[Item]]:
        for number, page in enumerate(super().pages(*about, **more)):
            yield page
            if number == 0:
                fault = {"kind": "auth_error", "endpoints": ["data_api"], "videos": [about[0]]}
                self._standin.control("faults", fault)


def test_a_job_whose_grant_is_revoked_midway_keeps_its_pages(
    demo: Browser, google: LiveServer, world: World
) -> None:
    videos = fresh_ids(120)
    playlist_id = private(google, list(videos))
    world.youtube = _RevokedAfterTheFirstPage(world.config, google)
    job = planned(world, "demo", playlist_id)
    assert (job.state, job.error) == ("failed", AGAIN)
    # The next page may have been requested already.
    assert job.listed in (50, 100)
    held = membership(world, "demo", playlist_id)
    assert set(held.video_ids) == set(videos[: job.listed])
    assert world.grants.state("demo") == "expired"
    found = dashboard(demo)
    assert [(each["playlist_id"], each["source"]) for each in found["playlists"]] == [(playlist_id, "own")]
    assert found["notices"] == [{"code": "grant_expired", "detail": AGAIN}]


@pytest.mark.parametrize(("kind", "minutes"), [("quota_exceeded", 25 * 60), ("rate_limit_exceeded", 1)])
def test_a_limit_delays(kind: str, minutes: int, demo: Browser, google: LiveServer, world: World) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("faults", {"kind": kind, "endpoints": ["data_api"]})
    job = planned(world, "demo", playlist_id)
    wait = (job.blocked_until or datetime.now(UTC)) - datetime.now(UTC)
    assert (job.state, timedelta() < wait <= timedelta(minutes=minutes)) == ("queued", True)
    # Who lists playlists waits for no job.
    notice = dashboard(demo)["notices"][-1]
    assert notice["code"] == "quota_exceeded"
    said, until = notice["detail"].removesuffix(".").split(" are listed anew after ")
    assert said == "YouTube takes no more requests for now. Your playlists"
    assert timedelta() < datetime.fromisoformat(until) - datetime.now(UTC) <= timedelta(minutes=minutes)


def test_an_unavailable_google_is_waited_for(demo: Browser, google: LiveServer, world: World) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["token"]})
    job = world.new_job("demo", playlist_id)
    with pytest.raises(Transient):
        world.plan(job)
    assert world.job(job.job_id).active
    assert world.grants.state("demo") == "ok"
    assert [each["code"] for each in dashboard(demo)["notices"]] == ["watch_later", "youtube_unavailable"]


# -- the dashboard -------------------------------------------------------------------------------------


def test_the_dashboard_lists_liked_own_and_added_playlists(
    demo: Browser, google: LiveServer, world: World
) -> None:
    added, own = f"PLgen-3-{uuid4().hex[:6]}-short", private(google, list(fresh_ids(2)))
    world.jobs.cancel(planned(world, "demo", added).job_id)
    running = planned(world, "demo", own)
    found = dashboard(demo)["playlists"]
    by_id = {each["playlist_id"]: each for each in found}
    assert found[0]["playlist_id"] == "LL"
    assert [each["source"] for each in found] == sorted(
        (each["source"] for each in found), key=["liked", "own", "url"].index
    )
    assert {"PLdemo-evenings", "PLdemo-shared", "PLyts-sample-talks", own, added} <= by_id.keys()
    assert "PLother-evenings" not in by_id
    assert by_id["PLdemo-shared"]["privacy"] == "unlisted"
    assert (by_id[added]["source"], by_id[added]["privacy"]) == ("url", "public")
    assert (by_id[own]["source"], by_id[own]["privacy"]) == ("own", "private")
    assert by_id[own]["job"] == {
        "job_id": running.job_id,
        "state": "running",
        "total": 2,
        "counts": {"pending": 2, "indexed": 0, "no_transcript": 0, "unavailable": 0, "failed": 0},
    }
    assert by_id[added]["job"] is None
    assert by_id["LL"]["indexed"] is None


def test_repeated_requests_cost_no_quota(demo: Browser, google: LiveServer, clock_of_test: Clock) -> None:
    first = dashboard(demo)
    used = google.stats()["quota"]["used"]
    assert [dashboard(demo) for _ in range(3)] == [first] * 3
    assert google.stats()["quota"]["used"] == used
    clock_of_test.forward(minutes=10, seconds=1)
    dashboard(demo)
    assert google.stats()["quota"]["used"] > used


def test_a_user_who_never_signed_in_has_a_library_too(
    google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    user = f"user-{uuid4().hex[:6]}"
    planned(world, user, f"PLgen-3-{uuid4().hex[:6]}-short")
    web = functions.client("library")
    found = web.get("/api/playlists", headers=bearer(world, user)).get_json()
    assert [each["source"] for each in found["playlists"]] == ["url"]
    assert found["notices"] == []


# -- refresh tokens at rest ------------------------------------------------------------------------------


def stored(world: World) -> bytes:
    data = world.db.read("grants/demo")[0].data
    assert data is not None
    encrypted: bytes = data["refresh_token"]
    return encrypted


def grants_with(world: World, *keys: str) -> Grants:
    """The grants as a process with these encryption keys sees them."""
    config = replace(world.config, grant_encryption_keys=keys)
    return Grants(world.db, Google(config), config)


def test_refresh_tokens_are_encrypted_and_keys_can_be_rotated(demo: Browser, world: World) -> None:
    before = stored(world)
    token, _ = Cipher([KEYS[0]]).decrypt(before)
    assert token.startswith("1//")
    assert token.encode() not in before
    # With a new key in front of the old one, a use encrypts the token again. Then the old key can go.
    assert grants_with(world, KEYS[1], KEYS[0]).access_token("demo")
    assert Cipher([KEYS[1], KEYS[0]]).decrypt(stored(world)) == (token, False)
    assert grants_with(world, KEYS[1]).access_token("demo")
    with pytest.raises(GrantExpired):
        grants_with(world, KEYS[0]).access_token("demo")


def test_an_expired_grant_is_not_asked_for_again(demo: Browser, google: LiveServer, world: World) -> None:
    world.grants.expire("demo", datetime.now(UTC))
    before = google.stats()["endpoints"]["oauth"]["requests"]
    with pytest.raises(JobFailed, match="Sign in again"):
        world.grants.access_token("demo")
    assert google.stats()["endpoints"]["oauth"]["requests"] == before
    assert world.grants.access_token("nobody-of-that-name") is None


def test_an_answer_about_an_earlier_grant_does_not_expire_a_new_one(demo: Browser, world: World) -> None:
    before = datetime.now(UTC)
    demo.sign_in("demo")
    world.grants.expire("demo", before)
    assert world.grants.state("demo") == "ok"
