"""API tokens against the real Firestore emulator: shown once, kept as hashes, revoked by their owner only."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared import auth, documents, jobs
from shared.errors import BadRequest, NotFound, Unauthenticated
from tests.integration.firestore_support import Seams
from tests.unit.functions import client


def user() -> str:
    return f"user-{uuid4().hex[:8]}"


def test_a_token_names_its_user_until_it_is_revoked(seams: Seams) -> None:
    name = user()
    made = auth.mint(name, "  laptop  ")
    token = made["token"]
    assert token.startswith("yts_")
    assert len(token) > 40
    assert auth.authenticate(f"Bearer {token}") == auth.Caller(name)
    (listed,) = auth.tokens(name)
    assert listed == {"token_id": made["token_id"], "name": "laptop", "created_at": made["created_at"]}
    with pytest.raises(NotFound):
        auth.revoke(user(), made["token_id"])
    assert auth.authenticate(f"Bearer {token}")
    auth.revoke(name, made["token_id"])
    with pytest.raises(Unauthenticated):
        auth.authenticate(f"Bearer {token}")
    with pytest.raises(NotFound):
        auth.revoke(name, made["token_id"])


def test_the_token_itself_is_nowhere_in_the_store(seams: Seams) -> None:
    name = user()
    token = auth.mint(name, "laptop")["token"]
    (found,) = documents.query("api_tokens", ("user_id", "==", name))
    assert token not in str(found)
    assert token.removeprefix("yts_") not in str(found)
    for wrong in (found.id, f"yts_{found.id}", found.path, token[:-1], token + "x", token.upper()):
        with pytest.raises(Unauthenticated):
            auth.authenticate(f"Bearer {wrong}")


@pytest.mark.parametrize("wrong", ["", None, 7, "a/b", "__all__", "..", "a b", "é", "x" * 129])
def test_a_user_that_can_be_none_gets_no_token(wrong: object, seams: Seams) -> None:
    with pytest.raises(BadRequest):
        auth.mint(wrong, "laptop")


@pytest.mark.parametrize("wrong", ["", "   ", None, 7, ["a"], "x" * 101, "half a \ud800 pair"])
def test_a_name_that_is_none_is_a_bad_request(wrong: object, seams: Seams) -> None:
    with pytest.raises(BadRequest):
        auth.mint(user(), wrong)


def test_over_http_a_user_makes_tokens_for_nobody_else(seams: Seams) -> None:
    name = user()
    headers = {"Authorization": f"Bearer {auth.mint(name, 'first')['token']}"}
    with client("account") as web:
        made = web.post("/api/tokens", headers=headers, json={"name": "Zweiter 🎧", "user": "somebody-else"})
        assert made.status_code == 201
        assert web.get("/api/me", headers=headers).get_json()["user_id"] == name
        second = {"Authorization": f"Bearer {made.get_json()['token']}"}
        assert web.get("/api/me", headers=second).get_json()["user_id"] == name
        names = [each["name"] for each in web.get("/api/tokens", headers=headers).get_json()["tokens"]]
        assert names == ["Zweiter 🎧", "first"]
        for path in ("/api/tokens/..", "/api/tokens/%00", "/api/tokens/" + "x" * 2000, "/api/tokens/é"):
            assert web.delete(path, headers=headers).status_code == 404
        gone = web.delete(f"/api/tokens/{made.get_json()['token_id']}", headers=headers)
        assert (gone.status_code, gone.data) == (204, b"")
        assert web.get("/api/me", headers=second).status_code == 401


def test_of_another_users_job_nothing_is_told(seams: Seams) -> None:
    job, _ = jobs.start(user(), "PLprivate")
    stranger = {"Authorization": f"Bearer {auth.mint(user(), 'laptop')['token']}"}
    with client("jobs") as web:
        for method, path in [
            ("GET", ""),
            ("GET", "/videos"),
            ("POST", "/retry"),
            ("POST", "/cancel"),
        ]:
            there = web.open(f"/api/jobs/{job.job_id}{path}", method=method, headers=stranger)
            nowhere = web.open(f"/api/jobs/{uuid4().hex}{path}", method=method, headers=stranger)
            assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text)
            assert there.status_code == 404
        assert web.get("/api/jobs", headers=stranger).get_json() == {"jobs": []}
    found = jobs.read(job.job_id)
    assert found is not None
    assert found.state == "queued"


@pytest.mark.parametrize("cursor", ["..", ".", "a/b", "__all__", "%00", "x" * 2000, "é"])
def test_a_cursor_that_is_none_is_a_bad_request(cursor: str, seams: Seams) -> None:
    name = user()
    job, _ = jobs.start(name, "PLmine")
    mine = {"Authorization": f"Bearer {auth.mint(name, 'laptop')['token']}"}
    with client("jobs") as web:
        answer = web.get(f"/api/jobs/{job.job_id}/videos?cursor={cursor}", headers=mine)
        assert answer.status_code == 400, answer.text
        assert web.get(f"/api/jobs/{job.job_id}/videos", headers=mine).get_json()["videos"] == []
