"""How many jobs one user may start: 429, and when to try again."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from shared import auth, config, jobs, limits
from shared.errors import TooMany
from tests.integration.firestore_support import Clock, Seams, at_once
from tests.unit.functions import client


@pytest.fixture
def limited(seams: Seams, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("JOBS_PER_HOUR", "4")
    monkeypatch.setenv("JOBS_AT_ONCE", "2")
    config.load.cache_clear()
    user = f"user-{uuid4().hex[:8]}"

    def start(playlist: str, who: str = user) -> Any:
        headers = {"Authorization": f"Bearer {auth.mint(who, 'laptop')['token']}"}
        with client("index") as web:
            return web.post("/api/index", json={"playlist": playlist}, headers=headers)

    yield start
    config.load.cache_clear()


def test_beyond_the_share_is_429_and_says_when(limited: Any, clock_of_test: Clock) -> None:
    first, second = limited("PLa"), limited("PLb")
    assert (first.status_code, second.status_code) == (202, 202)
    busy = limited("PLc")
    assert busy.status_code == 429
    assert busy.headers["Retry-After"] == "60"
    assert "2 of your playlists" in busy.get_json()["detail"]
    # The same playlist is no new job, and other people have their own share.
    assert limited("PLa").status_code == 200
    assert limited("PLc", f"user-{uuid4().hex[:8]}").status_code == 202
    for answer in (first, second):
        jobs.cancel(answer.get_json()["job_id"])
    clock_of_test.forward(minutes=10)
    for playlist in ("PLc", "PLd"):
        jobs.cancel(limited(playlist).get_json()["job_id"])
    spent = limited("PLe")
    assert spent.status_code == 429
    # The first of the four was started ten minutes ago.
    assert 49 * 60 < int(spent.headers["Retry-After"]) <= 50 * 60
    assert "in 50 minutes" in spent.get_json()["detail"]
    clock_of_test.forward(minutes=50)
    assert limited("PLe").status_code == 202


def test_another_round_counts_like_a_start(limited: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = f"user-{uuid4().hex[:8]}"
    job_id = limited("PLa", user).get_json()["job_id"]
    headers = {"Authorization": f"Bearer {auth.mint(user, 'laptop')['token']}"}
    with client("jobs") as web:
        for _ in range(3):
            jobs.cancel(job_id)
            assert web.post(f"/api/jobs/{job_id}/retry", headers=headers).status_code == 200
        # Of one that is active nothing is started.
        assert web.post(f"/api/jobs/{job_id}/retry", headers=headers).status_code == 200
        jobs.cancel(job_id)
        spent = web.post(f"/api/jobs/{job_id}/retry", headers=headers)
    assert spent.status_code == 429
    assert 3590 < int(spent.headers["Retry-After"]) <= 3600


@pytest.mark.parametrize(("at_once_allowed", "started"), [("100", 4), ("2", 2)])
def test_many_at_once_do_not_slip_through(
    at_once_allowed: str, started: int, limited: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOBS_AT_ONCE", at_once_allowed)
    config.load.cache_clear()
    user = f"user-{uuid4().hex[:8]}"

    def start(number: int) -> bool:
        try:
            return limits.start(user, f"PLnumber-{number}")[1]
        except TooMany:
            return False

    assert sum(at_once([partial(start, number) for number in range(8)])) == started
