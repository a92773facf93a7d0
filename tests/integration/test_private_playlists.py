"""Private playlists: listed with the user's own grant, invisible to others; what becomes of a dead grant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import auth, config, crypto, documents, grants, jobs, library, store, youtube
from shared.errors import GrantExpired, JobFailed, Transient
from shared.jobs import Job
from tests.integration.firestore_support import (
    Clock,
    Seams,
    define,
    entries_of,
    fresh_ids,
    job_of,
    new_job,
    plan,
)
from tests.integration.signin_support import KEYS, OURS, Browser, signing_in
from tests.unit.functions import client

AGAIN = "Sign in again with Google, then press Refresh."


def planned(user: str, playlist: str) -> Job:
    job = new_job(user, playlist)
    plan(job)
    return job_of(job.job_id)


def private(google: InProcess, videos: list[Any], owner: str = "demo") -> str:
    playlist_id = f"PL{uuid4().hex[:12]}"
    define(google, playlist_id, videos, title="A secret list", owner=owner, privacy="private")
    return playlist_id


def dashboard(browser: Browser) -> dict[str, Any]:
    answer = browser.at("library").get("/api/playlists")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.fixture
def demo(google: InProcess) -> Browser:
    browser = Browser()
    assert browser.sign_in("demo") == "/"
    return browser


# -- listing -----------------------------------------------------------------------------------------


def test_the_owner_indexes_it_and_nobody_else_can_tell_it_from_none(demo: Browser, google: InProcess) -> None:
    assert Browser().sign_in("other") == "/"
    videos = fresh_ids(3)
    playlist_id = private(google, list(videos))
    mine = planned("demo", playlist_id)
    assert (mine.state, mine.title, mine.total) == ("running", "A secret list", 3)
    held = library.playlist("demo", playlist_id)
    assert held is not None
    assert (held.privacy, set(held.video_ids)) == ("private", set(videos))
    nowhere = f"PL{uuid4().hex[:12]}"
    for stranger in ("other", f"nobody-{uuid4().hex[:6]}"):
        theirs, missing = planned(stranger, playlist_id), planned(stranger, nowhere)
        assert (theirs.state, theirs.title, theirs.total, theirs.listed) == ("failed", "", None, 0)
        assert (theirs.error, theirs.state) == (missing.error, missing.state)
        assert library.playlist(stranger, playlist_id) is None


def test_liked_videos_are_each_persons_own(demo: Browser, google: InProcess) -> None:
    assert Browser().sign_in("other") == "/"
    mine, theirs = planned("demo", "LL"), planned("other", "LL")
    held, others = library.playlist("demo", "LL"), library.playlist("other", "LL")
    assert (mine.title, theirs.title) == ("Liked videos", "Liked videos")
    assert held is not None
    assert others is not None
    assert set(held.video_ids) != set(others.video_ids)
    unknown = planned(f"nobody-{uuid4().hex[:6]}", "LL")
    assert unknown.state == "failed"
    assert "sign in with Google" in str(unknown.error)


def test_what_is_public_needs_no_grant_though_it_is_dead(demo: Browser, google: InProcess) -> None:
    google.control("oauth", {"dead_grant": True})
    assert planned("demo", f"PLgen-3-{uuid4().hex[:6]}-short").state == "running"


def test_watch_later_is_explained_at_once(demo: Browser, google: InProcess) -> None:
    web = demo.at("index")
    for each in ("WL", "https://www.youtube.com/playlist?list=WL", "HL"):
        answer = web.post("/api/index", json={"playlist": each}, headers=OURS)
        assert answer.status_code == 400
        assert "Watch Later" in answer.get_json()["detail"]


# -- what the shared store may tell --------------------------------------------------------------------


def test_a_private_video_leaves_no_trace_in_the_store(demo: Browser, google: InProcess, seams: Seams) -> None:
    """YouTube shows it to its owner, by name; nobody else may learn of it here."""
    (hidden, plain) = fresh_ids(2)
    google.control(
        "playlists",
        {"videos": [{"id": hidden, "title": "My medical history", "status": "private", "owner": "demo"}]},
    )
    playlist_id = private(google, [{"id": hidden}, plain])
    mine = planned("demo", playlist_id)
    entries = entries_of(mine.job_id)
    assert (entries[hidden].state, entries[hidden].title) == ("unavailable", "My medical history")
    assert (entries[plain].state, seams.videos()) == ("pending", [plain])
    assert documents.read(store.video_path(hidden))[0].data is None
    # Somebody else names it in a playlist of their own.
    theirs = f"PL{uuid4().hex[:12]}"
    google.control("playlists", {"playlists": [{"id": theirs, "videos": [hidden], "owner": "other"}]})
    job = planned("other-reader", theirs)
    assert entries_of(job.job_id)[hidden].title == "Private video"


def test_what_was_public_once_is_told_to_nobody_who_did_not_have_it(
    google: InProcess, seams: Seams, clock_of_test: Clock
) -> None:
    """Metadata and transcript of a video are in the store; then its owner makes it private."""
    (video, other) = fresh_ids(2)
    google.control("playlists", {"videos": [{"id": video, "title": "Seen by all"}]})
    early, late = f"PL{uuid4().hex[:12]}", f"PL{uuid4().hex[:12]}"
    define(google, early, [{"id": video}])
    reader, stranger = f"reader-{uuid4().hex[:6]}", f"stranger-{uuid4().hex[:6]}"
    job = planned(reader, early)
    google.control("playlists", {"videos": [{"id": video, "status": "private", "owner": "demo"}]})
    define(google, late, [{"id": video}, other])
    theirs = planned(stranger, late)
    assert entries_of(theirs.job_id)[video].title == "Private video"
    assert entries_of(theirs.job_id)[video].state == "unavailable"
    held = library.playlist(stranger, late)
    assert held is not None
    assert held.video_ids == (other,)
    # Who had it in this playlist keeps it, and its name.
    jobs.cancel(job.job_id)
    again = planned(reader, early)
    kept = library.playlist(reader, early)
    assert kept is not None
    assert kept.video_ids == (video,)
    assert entries_of(again.job_id)[video].title == "Seen by all"


def test_a_video_that_youtube_shows_to_one_person_only_is_not_stored(
    demo: Browser, google: InProcess, monkeypatch: pytest.MonkeyPatch, seams: Seams
) -> None:
    """It is not marked as private in the list, and yet videos.list with our key does not know it."""
    (video,) = fresh_ids(1)
    playlist_id = private(google, [video])
    monkeypatch.setattr(youtube, "videos", lambda ids: [])
    job = planned("demo", playlist_id)
    assert entries_of(job.job_id)[video].reason == "YouTube shows this video to nobody but you."
    assert documents.read(store.video_path(video))[0].data is None
    assert seams.videos() == []


# -- a grant that dies ---------------------------------------------------------------------------------


def test_a_dead_grant_reads_as_sign_in_again(demo: Browser, google: InProcess) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("oauth", {"dead_grant": True})
    job = planned("demo", playlist_id)
    assert (job.state, job.error) == ("failed", AGAIN)
    assert demo.me().get_json()["grant"] == "expired"
    # And signing in again is all that is needed.
    google.control("oauth", {"dead_grant": False})
    assert demo.sign_in() == "/"
    assert demo.me().get_json()["grant"] == "ok"
    assert planned("demo", playlist_id).state == "running"


def test_a_job_whose_grant_dies_midway_keeps_what_it_has(
    demo: Browser, google: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = fresh_ids(120)
    playlist_id = private(google, list(videos))
    pages = youtube.pages

    def revoked_after_the_first(wanted: str, access: str | None) -> Iterator[list[youtube.Item]]:
        for number, page in enumerate(pages(wanted, access)):
            yield page
            if number == 0:
                fault = {"kind": "auth_error", "endpoints": ["data_api"], "videos": [wanted]}
                google.control("faults", fault)

    monkeypatch.setattr(youtube, "pages", revoked_after_the_first)
    job = planned("demo", playlist_id)
    assert (job.state, job.error) == ("failed", AGAIN)
    # The page after may have been asked for already.
    assert job.listed in (50, 100)
    held = library.playlist("demo", playlist_id)
    assert held is not None
    assert set(held.video_ids) == set(videos[: job.listed])
    assert grants.state("demo") == "expired"
    found = dashboard(demo)
    assert [(each["playlist_id"], each["source"]) for each in found["playlists"]] == [(playlist_id, "own")]
    assert found["notices"] == [{"code": "grant_expired", "detail": AGAIN}]


def test_an_exhausted_quota_is_waited_for(demo: Browser, google: InProcess) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("faults", {"kind": "quota_exceeded", "endpoints": ["data_api"]})
    job = planned("demo", playlist_id)
    assert job.state == "queued"
    assert job.blocked_until is not None
    assert timedelta() < job.blocked_until - datetime.now(UTC) <= timedelta(hours=25)
    assert "quota" in str(job.error)
    found = dashboard(demo)
    assert [each["code"] for each in found["notices"]] == ["watch_later", "quota_exceeded"]


def test_a_google_that_is_away_is_waited_for(demo: Browser, google: InProcess) -> None:
    playlist_id = private(google, list(fresh_ids(2)))
    google.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["token"]})
    job = new_job("demo", playlist_id)
    with pytest.raises(Transient):
        plan(job)
    assert job_of(job.job_id).active
    assert grants.state("demo") == "ok"
    assert [each["code"] for each in dashboard(demo)["notices"]] == ["watch_later", "youtube_unavailable"]


# -- the dashboard -------------------------------------------------------------------------------------


def test_the_dashboard_lists_liked_own_and_added_playlists(demo: Browser, google: InProcess) -> None:
    added, own = f"PLgen-3-{uuid4().hex[:6]}-short", private(google, list(fresh_ids(2)))
    jobs.cancel(planned("demo", added).job_id)
    running = planned("demo", own)
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


def test_asking_again_and_again_costs_no_quota(
    demo: Browser, google: InProcess, clock_of_test: Clock
) -> None:
    first = dashboard(demo)
    used = google.stats()["quota"]["used"]
    assert [dashboard(demo) for _ in range(3)] == [first] * 3
    assert google.stats()["quota"]["used"] == used
    clock_of_test.forward(minutes=10, seconds=1)
    dashboard(demo)
    assert google.stats()["quota"]["used"] > used


def test_who_never_signed_in_has_a_library_all_the_same(google: InProcess) -> None:
    user = f"user-{uuid4().hex[:6]}"
    token = auth.mint(user, "laptop")["token"]
    planned(user, f"PLgen-3-{uuid4().hex[:6]}-short")
    with client("library") as web:
        found = web.get("/api/playlists", headers={"Authorization": f"Bearer {token}"}).get_json()
    assert [each["source"] for each in found["playlists"]] == ["url"]
    assert found["notices"] == []


# -- refresh tokens at rest ------------------------------------------------------------------------------


def stored() -> bytes:
    data = documents.read("grants/demo")[0].data
    assert data is not None
    sealed: bytes = data["refresh_token"]
    return sealed


def test_refresh_tokens_are_encrypted_and_keys_can_be_exchanged(demo: Browser, google: InProcess) -> None:
    before = stored()
    token, _ = crypto.decrypt(before)
    assert token.startswith("1//")
    assert token.encode() not in before
    # The old key behind a new one: used once, it is encrypted with the new one, and the old one can go.
    with signing_in(google, GRANT_ENCRYPTION_KEYS=f"{KEYS[1]},{KEYS[0]}"):
        assert grants.access_token("demo")
        assert crypto.decrypt(stored()) == (token, False)
    with signing_in(google, GRANT_ENCRYPTION_KEYS=KEYS[1]):
        assert grants.access_token("demo")
    with signing_in(google, GRANT_ENCRYPTION_KEYS=KEYS[0]), pytest.raises(GrantExpired):
        grants.access_token("demo")
    assert config.load().grant_encryption_keys == (KEYS[0],)


def test_a_grant_that_is_dead_is_not_asked_for_again(demo: Browser, google: InProcess) -> None:
    grants.expire("demo", datetime.now(UTC))
    before = google.stats()["endpoints"]["oauth"]["requests"]
    with pytest.raises(JobFailed, match="Sign in again"):
        grants.access_token("demo")
    assert google.stats()["endpoints"]["oauth"]["requests"] == before
    assert grants.access_token("nobody-of-that-name") is None


def test_what_google_said_of_an_earlier_grant_is_not_held_against_a_new_one(demo: Browser) -> None:
    before = datetime.now(UTC)
    demo.sign_in("demo")
    grants.expire("demo", before)
    assert grants.state("demo") == "ok"
