"""Starting jobs over HTTP: at once, once for each playlist, and as often as the user's quota allows."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared.config import Config
from shared.errors import TooMany
from shared.pipeline.start import Start
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.world import Clock, World, at_once


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, jobs_per_hour=4, jobs_at_once=2)


class User:
    """Somebody who starts jobs."""

    def __init__(self, world: World, functions: HttpFunctions) -> None:
        self.headers = bearer(world, f"user-{uuid4().hex[:8]}")
        self._web = functions.client("index")

    def start(self, playlist: object) -> Any:
        return self._web.post("/api/index", json={"playlist": playlist}, headers=self.headers)


@pytest.fixture
def user(world: World, functions: HttpFunctions) -> User:
    return User(world, functions)


def test_a_start_is_answered_before_anything_is_fetched(user: User, world: World) -> None:
    answer = user.start("https://www.youtube.com/playlist?list=PLx")
    body = answer.get_json()
    assert answer.status_code == 202
    assert body == {
        "job_id": body["job_id"],
        "playlist_id": "PLx",
        "status_url": f"/api/jobs/{body['job_id']}",
    }
    assert world.topics.published == [("playlists", world.job(body["job_id"]).message)]
    again = user.start("PLx")
    assert (again.status_code, again.get_json()) == (200, body)
    assert len(world.topics.published) == 1


def test_a_start_is_answered_while_pubsub_is_unavailable(user: User, world: World) -> None:
    """The job is stored, and the sweep publishes it later."""
    world.topics.broken.add("publish")
    answer = user.start("PLx")
    assert answer.status_code == 202
    assert world.job(answer.get_json()["job_id"]).state == "queued"


@pytest.mark.parametrize(
    "wrong", [None, 7, "", "nonsense", ["PLx"], "WL", "https://www.youtube.com/watch?v=x"]
)
def test_anything_but_a_playlist_is_a_bad_request(wrong: object, user: User) -> None:
    answer = user.start(wrong)
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_used_up_quota_is_answered_with_429_and_a_time(
    user: User, world: World, functions: HttpFunctions, clock_of_test: Clock
) -> None:
    first, second = user.start("PLa"), user.start("PLb")
    assert (first.status_code, second.status_code) == (202, 202)
    busy = user.start("PLc")
    assert busy.status_code == 429
    assert busy.headers["Retry-After"] == "60"
    assert "2 of your playlists" in busy.get_json()["detail"]
    # The same playlist is no new job, and other users have quotas of their own.
    assert user.start("PLa").status_code == 200
    assert User(world, functions).start("PLc").status_code == 202
    for answer in (first, second):
        world.jobs.cancel(answer.get_json()["job_id"])
    clock_of_test.forward(minutes=10)
    for playlist in ("PLc", "PLd"):
        world.jobs.cancel(user.start(playlist).get_json()["job_id"])
    spent = user.start("PLe")
    assert spent.status_code == 429
    # The first of the four was started ten minutes ago.
    assert 49 * 60 < int(spent.headers["Retry-After"]) <= 50 * 60
    assert "in 50 minutes" in spent.get_json()["detail"]
    clock_of_test.forward(minutes=50)
    assert user.start("PLe").status_code == 202


def test_a_retry_counts_like_a_start(user: User, world: World, functions: HttpFunctions) -> None:
    job_id = user.start("PLa").get_json()["job_id"]
    web = functions.client("jobs")

    def retry() -> Any:
        return web.post(f"/api/jobs/{job_id}/retry", headers=user.headers)

    for _ in range(3):
        world.jobs.cancel(job_id)
        assert retry().status_code == 200
    # A retry of an active job starts nothing.
    assert retry().status_code == 200
    world.jobs.cancel(job_id)
    spent = retry()
    assert spent.status_code == 429
    assert 3590 < int(spent.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize(("allowed_at_once", "started"), [(100, 4), (2, 2)])
def test_concurrent_starts_do_not_exceed_the_quota(allowed_at_once: int, started: int, world: World) -> None:
    start = Start(replace(world.config, jobs_at_once=allowed_at_once), world.db, world.topics)
    user = f"user-{uuid4().hex[:8]}"

    def attempt(number: int) -> bool:
        try:
            return start.start(user, f"PLnumber-{number}")[1]
        except TooMany:
            return False

    assert sum(at_once([partial(attempt, number) for number in range(8)])) == started
