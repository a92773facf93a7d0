"""Who may come in, and what operators do, over HTTP with the real Firestore and the fake Google."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.accounts.access import SENTENCES
from shared.accounts.profiles import profile_path
from shared.pipeline.ledger import NewEntry
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.signin_support import OURS, Browser
from tests.integration.world import SPOKEN, World, answering, described, fresh_ids

DEMO, OTHER = "demo@example.com", "other@example.com"


@contextmanager
def site(world: World, *, allowed: str = "", operators: str = "") -> Iterator[HttpFunctions]:
    """The functions as they start anew, with other lists."""
    before = world.config
    world.config = replace(
        before,
        allowed_users=tuple(each for each in allowed.split(",") if each),
        operators=tuple(each for each in operators.split(",") if each),
    )
    functions = HttpFunctions(world)
    functions.client("account")
    account = functions._started["account"][1]
    account.operators._erasure = account.erasure
    try:
        yield functions
    finally:
        functions.close()
        world.config = before


def test_who_is_not_on_the_list_is_turned_away_at_sign_in(google: LiveServer, world: World) -> None:
    with site(world, allowed=OTHER) as functions:
        browser = Browser(functions)
        assert browser.sign_in("demo", "/?q=x") == "/?signin=not_allowed"
        assert browser.me().status_code == 401
        assert Browser(functions).sign_in("other") == "/"
    # Nothing is kept of somebody who was turned away.
    assert world.db.read(profile_path("demo"))[0].data is None
    assert world.grants.state("demo") is None


@pytest.mark.parametrize("allowed", [DEMO, "@example.com", "*", "Demo@EXAMPLE.com", ""])
def test_who_is_on_the_list_comes_in(allowed: str, google: LiveServer, world: World) -> None:
    with site(world, allowed=allowed) as functions:
        browser = Browser(functions)
        assert browser.sign_in("demo") == "/"
        assert browser.me().get_json()["email"] == DEMO


def test_who_is_taken_off_the_list_is_shut_out_with_session_and_token(
    google: LiveServer, world: World
) -> None:
    with site(world, allowed="@example.com") as functions:
        browser = Browser(functions)
        assert browser.sign_in("demo") == "/"
        cookie, token = browser.cookie, bearer(world, "demo")
        assert browser.me().status_code == 200
        assert functions.client("jobs").get("/api/jobs", headers=token).status_code == 200
    with site(world, allowed=OTHER) as functions:
        browser = Browser(functions)
        browser.cookie = str(cookie)
        for answer in (
            browser.me(),
            browser.at("jobs").get("/api/jobs"),
            browser.at("search").get("/api/search?q=x"),
            browser.web.post("/api/tokens", json={"name": "x"}, headers=OURS),
            functions.client("jobs").get("/api/jobs", headers=token),
        ):
            assert answer.status_code == 403
            assert answer.get_json()["detail"] == SENTENCES["not_allowed"]
    with site(world, allowed=DEMO) as functions:
        assert functions.client("jobs").get("/api/jobs", headers=token).status_code == 200


OPERATOR_ROUTES = [
    ("GET", "/api/operator/users"),
    ("POST", "/api/operator/users/demo/suspend"),
    ("DELETE", "/api/operator/users/demo"),
]


@pytest.mark.parametrize(("method", "path"), OPERATOR_ROUTES)
def test_for_everybody_else_the_page_of_operators_does_not_exist(
    method: str, path: str, google: LiveServer, world: World
) -> None:
    with site(world, operators=OTHER) as functions:
        browser = Browser(functions)
        body = {"suspended": True}
        assert browser.web.open(path, method=method, json=body, headers=OURS).status_code == 401
        assert browser.sign_in("demo") == "/"
        assert browser.me().get_json()["operator"] is False
        answer = browser.web.open(path, method=method, json=body, headers=OURS)
        assert answer.status_code == 404
        assert answer.get_json()["detail"] == f"There is nothing at {path}."
        assert browser.me().status_code == 200


def test_an_operator_sees_what_each_user_has_and_costs(google: LiveServer, world: World) -> None:
    with site(world, operators=OTHER) as functions:
        assert Browser(functions).sign_in("demo") == "/"
        job = world.new_job("demo")
        job = world.jobs.begin_planning(job, "A playlist", 2)
        operator = Browser(functions)
        assert operator.sign_in("other") == "/"
        assert operator.me().get_json()["operator"] is True
        answer = operator.web.get("/api/operator/users")
        assert answer.status_code == 200
        users = {each["user_id"]: each for each in answer.get_json()["users"]}
        assert answer.get_json()["cursor"] is None
    assert users["other"]["operator"] is True
    demo = users["demo"]
    assert (demo["email"], demo["name"], demo["suspended"]) == (DEMO, "Demo Person", False)
    assert (demo["playlists"], demo["videos"]) == (0, 0)
    assert demo["month"] == {"jobs": 1, "active_jobs": 1, "youtube_bytes": 0, "quota_units": 0}
    world.jobs.cancel(job.job_id)


def test_the_costs_of_a_user_are_booked_when_a_job_ends(google: LiveServer, world: World) -> None:
    with site(world, operators=OTHER) as functions:
        assert Browser(functions).sign_in("demo") == "/"
        job = world.new_job("demo")
        job = world.jobs.begin_planning(job, "A playlist", 1)
        (video_id,) = fresh_ids(1)
        world.videos.save([described(video_id)])
        world.enter(job, [NewEntry(video_id, video_id, 0)])
        world.fetch(job, video_id, answering(SPOKEN), spent=1234)
        world.index(job, video_id)
        operator = Browser(functions)
        assert operator.sign_in("other") == "/"

        def month() -> object:
            found = operator.web.get("/api/operator/users").get_json()["users"]
            return next(each["month"] for each in found if each["user_id"] == "demo")

        assert month() == {"jobs": 1, "youtube_bytes": 0, "quota_units": 0, "active_jobs": 1}
        world.jobs.cancel(job.job_id)
        # One for the playlist, one for its page, and one for the metadata of the page.
        cost = {"jobs": 1, "youtube_bytes": 1234, "quota_units": 3}
        assert month() == cost | {"active_jobs": 0}
        # Who retries a job is not charged a second time for what it has cost already.
        world.jobs.resume(world.job(job.job_id), "queued")
        assert month() == cost | {"active_jobs": 1}
        world.jobs.cancel(job.job_id)
        assert month() == cost | {"active_jobs": 0}


def test_a_suspended_user_is_shut_out_at_once_and_comes_back(google: LiveServer, world: World) -> None:
    with site(world, operators=OTHER) as functions:
        demo, operator = Browser(functions), Browser(functions)
        assert demo.sign_in("demo") == "/"
        token = bearer(world, "demo")
        job = world.new_job("demo")
        assert operator.sign_in("other") == "/"

        def suspend(body: object) -> Any:
            path = "/api/operator/users/demo/suspend"
            return operator.web.post(path, json=body, headers=OURS)

        answer = suspend({"suspended": True})
        assert answer.get_json()["suspended"] is True
        assert world.job(job.job_id).state == "cancelled"
        for refused in (demo.me(), functions.client("index").post("/api/index", json={}, headers=token)):
            assert refused.status_code == 403
            assert refused.get_json()["detail"] == SENTENCES["suspended"]
        # Signing in again changes nothing.
        assert demo.sign_in("demo") == "/?signin=suspended"
        assert Browser(functions).sign_in("demo") == "/?signin=suspended"
        answer = suspend({"suspended": False})
        assert answer.get_json()["suspended"] is False
        assert demo.me().status_code == 200
        assert demo.sign_in("demo") == "/"
        wrongs: list[Any] = [{}, {"suspended": "yes"}, {"suspended": None}, []]
        for wrong in wrongs:
            assert suspend(wrong).status_code == 400, wrong


def test_an_operator_erases_a_user_and_is_not_suspended(google: LiveServer, world: World) -> None:
    with site(world, operators=OTHER) as functions:
        demo, operator = Browser(functions), Browser(functions)
        assert demo.sign_in("demo") == "/"
        assert operator.sign_in("other") == "/"
        web = operator.web
        answer = web.post("/api/operator/users/other/suspend", json={"suspended": True}, headers=OURS)
        assert answer.status_code == 409
        assert web.delete("/api/operator/users/other", headers=OURS).status_code == 409
        assert web.delete("/api/operator/users/demo", headers=OURS).status_code == 204
        assert demo.me().status_code == 401
        assert world.db.read(profile_path("demo"))[0].data is None
        for unknown in ("demo", "nobody", "__x__", "a" * 200):
            assert web.delete(f"/api/operator/users/{unknown}", headers=OURS).status_code == 404
            path = f"/api/operator/users/{unknown}/suspend"
            assert web.post(path, json={"suspended": True}, headers=OURS).status_code == 404
        assert web.get("/api/operator/users?cursor=__x__").status_code == 400
        # A page of another site cannot do it in the operator's name.
        foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
        assert web.delete("/api/operator/users/other", headers=foreign).status_code == 403
