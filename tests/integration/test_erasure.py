"""Erasing a user: nothing of them is left, whatever dies in between; what is others' stays."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest

from infra.local.standin.inprocess import InProcess
from shared import (
    auth,
    clients,
    documents,
    erasure,
    grants,
    jobs,
    library,
    limits,
    own_playlists,
    profiles,
    sessions,
    store,
)
from shared import google as authorization_server
from shared.documents import Commit
from shared.errors import GrantExpired
from shared.google import Person
from shared.ledger import NewEntry
from tests.integration.firestore_support import Seams, enter, new_job, plan
from tests.integration.interrupting import at_the_second_page
from tests.integration.signin_support import OURS, Browser
from tests.unit.functions import client

_COLLECTIONS = (
    *("users", "memberships", "own_playlists", "starts", "grants", "sessions", "api_tokens", "erasures"),
    *("jobs", "ledger", "counters", "active_jobs", "sign_in_attempts"),
)


def traces(*words: str) -> list[str]:
    """The documents that name one of the words, in their path or in what they hold."""
    # Whole words: a made-up title of another test may well begin like a user.
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, words))})(?![A-Za-z0-9])")
    found = []
    for name in _COLLECTIONS:
        for document in clients.firestore().collection_group(name).stream(timeout=30):
            text = f"{document.reference.path} {document.to_dict()}"
            if pattern.search(text):
                found.append(document.reference.path)
    return found


def somebody(standin: InProcess) -> tuple[str, list[str]]:
    """A user who has left a trace everywhere; the user and the ids of their jobs."""
    user = f"user-{uuid4().hex[:8]}"
    profiles.save(user, Person(user, "a@example.com", "A", None))
    token = standin.control("token", {"user": "demo", "scopes": list(authorization_server.SCOPES)})
    grants.save(user, token["refresh_token"], reads_youtube=True)
    own_playlists.of(user)
    limits.start(user, f"PLstarted-by-{user}")
    sessions.begin(user, None)
    auth.mint(user, "laptop")
    ids = []
    for number in range(2):
        job = jobs.begin_planning(new_job(user, f"PLof-{user}-{number}"), "A playlist", 3)
        enter(job, [NewEntry(f"video{number}{k}", "A title", k) for k in range(3)])
        library.put(user, job.playlist_id, "A playlist", None, [f"video{number}{k}" for k in range(3)])
        ids.append(job.job_id)
    jobs.seal(ids[0])
    return user, ids


def test_nothing_is_left_and_others_keep_theirs(google: InProcess, seams: Seams) -> None:
    user, ids = somebody(google)
    other, others = somebody(google)
    Commit().set(store.video_path("video00"), {"title": "Everybody's", "fetched_at": 0}).run()
    assert len(traces(user, *ids)) > 15
    before = traces(other, *others)
    erasure.erase(user)
    assert traces(user, *ids) == []
    assert traces(other, *others) == before
    assert [whose for whose, _ in seams.libraries].count(user) == 0
    assert [whose for whose, _ in seams.libraries].count(other) == 2
    assert documents.read(store.video_path("video00"))[0].data is not None


def test_through_the_browser_the_grant_is_revoked_at_google(google: InProcess, seams: Seams) -> None:
    browser, elsewhere = Browser(), Browser()
    browser.sign_in("demo")
    elsewhere.sign_in("demo")
    token = browser.web.post("/api/tokens", json={"name": "laptop"}, headers=OURS).get_json()["token"]
    refresh_token = grants._opened(documents.read("grants/demo")[0].data)[0]
    assert refresh_token is not None
    answer = browser.web.delete("/api/me", headers=OURS)
    assert (answer.status_code, answer.data) == (204, b"")
    assert browser.cookie is None
    assert elsewhere.me().status_code == 401
    with client("account") as web:
        assert web.get("/api/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    with pytest.raises(GrantExpired):
        authorization_server.refreshed(refresh_token)
    assert traces("demo") == []


class Died(BaseException):
    """As if the process were killed: nothing of ours catches it."""


def _dying(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    run, left = Commit.run, iter(range(number))

    def dies(self: Commit) -> Any:
        if next(left, None) is None:
            raise Died
        return run(self)

    monkeypatch.setattr(Commit, "run", dies)


@pytest.mark.parametrize("number", range(1, 20, 2))
def test_whoever_dies_in_between_is_succeeded_by_the_sweep(
    number: int, google: InProcess, seams: Seams
) -> None:
    user, ids = somebody(google)
    with pytest.MonkeyPatch.context() as patch:
        _dying(patch, number)
        try:
            erasure.erase(user)
        except Died:
            assert traces(f"erasures/{user}"), "what was begun is noted until it is complete"
    if number > 4:
        assert not list(documents.query("sessions", ("user_id", "==", user)))
        assert auth.tokens(user) == []
    erasure.resume_all()
    assert traces(user, *ids) == []
    assert [whose for whose, _ in seams.libraries].count(user) == 0


@pytest.mark.parametrize("away", ["revoke", "delete_library"])
def test_a_server_that_is_away_delays_its_own_part_only(away: str, google: InProcess, seams: Seams) -> None:
    user, ids = somebody(google)
    if away == "revoke":
        google.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["revoke"]})
    else:
        seams.broken.add(away)
    erasure.erase(user)
    left = {path.split("/")[0] for path in traces(user, *ids)}
    assert left == ({"erasures", "grants"} if away == "revoke" else {"erasures", "users"})
    seams.broken.clear()
    google.control("reset", {"what": ["faults"]})
    assert erasure.resume_all() == 1
    assert traces(user, *ids) == []


def test_who_comes_back_meanwhile_begins_anew(google: InProcess, seams: Seams) -> None:
    browser = Browser()
    browser.sign_in("demo")
    seams.broken.add("delete_library")
    library.put("demo", "PLbefore", "Before", None, ["a"])
    browser.web.delete("/api/me", headers=OURS)
    assert traces("erasures/demo")
    assert Browser().sign_in("demo") == "/?signin=failed"
    seams.broken.clear()
    again = Browser()
    assert again.sign_in("demo") == "/"
    erasure.resume_all()
    assert again.me().get_json()["grant"] == "ok"
    assert library.playlists("demo") == []


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_planner_at_work_brings_nothing_back(
    google: InProcess, seams: Seams, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    job = new_job(playlist=f"PLgen-150-{uuid4().hex[:6]}")

    def erase() -> None:
        assert library.playlist(job.user_id, job.playlist_id) is not None
        erasure.erase(job.user_id)

    at_the_second_page(monkeypatch, erase, moment)
    plan(job)
    assert traces(job.user_id, job.job_id) == []
    assert jobs.read(job.job_id) is None
