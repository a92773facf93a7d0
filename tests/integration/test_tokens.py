"""API tokens in the real Firestore emulator: shown once, stored as hashes, revoked by their owner only."""

from __future__ import annotations

from uuid import uuid4

import pytest

from shared.accounts.auth import Auth, Caller
from shared.accounts.tokens import Tokens
from shared.config import Config
from shared.errors import BadRequest, NotFound, Unauthenticated
from shared.gcp.firestore import Firestore
from tests.integration.http_functions import HttpFunctions, bearer
from tests.integration.world import World


@pytest.fixture
def tokens(db: Firestore) -> Tokens:
    return Tokens(db)


@pytest.fixture
def auth(config: Config, db: Firestore) -> Auth:
    return Auth(config, db)


def new_user() -> str:
    return f"user-{uuid4().hex[:8]}"


def test_a_token_names_its_user_until_it_is_revoked(tokens: Tokens, auth: Auth) -> None:
    user = new_user()
    made = tokens.mint(user, "  laptop  ")
    token = made["token"]
    assert token.startswith("yts_")
    assert len(token) > 40
    assert auth.authenticate(f"Bearer {token}") == Caller(user)
    (listed,) = tokens.list(user)
    assert listed == {"token_id": made["token_id"], "name": "laptop", "created_at": made["created_at"]}
    with pytest.raises(NotFound):
        tokens.revoke(new_user(), made["token_id"])
    assert auth.authenticate(f"Bearer {token}")
    tokens.revoke(user, made["token_id"])
    with pytest.raises(Unauthenticated):
        auth.authenticate(f"Bearer {token}")
    with pytest.raises(NotFound):
        tokens.revoke(user, made["token_id"])


def test_the_token_itself_is_not_stored(tokens: Tokens, auth: Auth, db: Firestore) -> None:
    user = new_user()
    token = tokens.mint(user, "laptop")["token"]
    (found,) = db.query("api_tokens", ("user_id", "==", user))
    assert token not in str(found)
    assert token.removeprefix("yts_") not in str(found)
    for wrong in (found.id, f"yts_{found.id}", found.path, token[:-1], token + "x", token.upper()):
        with pytest.raises(Unauthenticated):
            auth.authenticate(f"Bearer {wrong}")


@pytest.mark.parametrize("wrong", ["", "a/b", "__all__", "..", "a b", "é", "x" * 129])
def test_an_invalid_user_gets_no_token(wrong: str, tokens: Tokens) -> None:
    with pytest.raises(BadRequest):
        tokens.mint(wrong, "laptop")


@pytest.mark.parametrize("wrong", ["", "   ", "x" * 101, "half a \ud800 pair"])
def test_an_invalid_name_is_a_bad_request(wrong: str, tokens: Tokens) -> None:
    with pytest.raises(BadRequest):
        tokens.mint(new_user(), wrong)


def test_over_http_a_user_makes_tokens_for_nobody_else(world: World, functions: HttpFunctions) -> None:
    user = new_user()
    headers = bearer(world, user)
    web = functions.client("account")
    made = web.post("/api/tokens", headers=headers, json={"name": "Zweiter 🎧", "user": "somebody-else"})
    assert made.status_code == 201
    assert web.get("/api/me", headers=headers).get_json()["user_id"] == user
    second = {"Authorization": f"Bearer {made.get_json()['token']}"}
    assert web.get("/api/me", headers=second).get_json()["user_id"] == user
    names = [each["name"] for each in web.get("/api/tokens", headers=headers).get_json()["tokens"]]
    assert names == ["Zweiter 🎧", "laptop"]
    for path in ("/api/tokens/..", "/api/tokens/%00", "/api/tokens/" + "x" * 2000, "/api/tokens/é"):
        assert web.delete(path, headers=headers).status_code == 404
    gone = web.delete(f"/api/tokens/{made.get_json()['token_id']}", headers=headers)
    assert (gone.status_code, gone.data) == (204, b"")
    assert web.get("/api/me", headers=second).status_code == 401


def test_a_job_of_another_user_looks_like_one_that_does_not_exist(
    world: World, functions: HttpFunctions
) -> None:
    job = world.new_job()
    stranger = bearer(world, new_user())
    web = functions.client("jobs")
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
    assert world.job(job.job_id).state == "queued"


@pytest.mark.parametrize("job_id", ["__all__", "..", ".", "a%20b", "a" * 200, "%00", "é"])
def test_an_invalid_job_id_is_not_found(job_id: str, world: World, functions: HttpFunctions) -> None:
    answer = functions.client("jobs").get(f"/api/jobs/{job_id}", headers=bearer(world, new_user()))
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("cursor", ["..", ".", "a/b", "__all__", "%00", "x" * 2000, "é"])
def test_an_invalid_cursor_is_a_bad_request(cursor: str, world: World, functions: HttpFunctions) -> None:
    job = world.new_job()
    mine = bearer(world, job.user_id)
    web = functions.client("jobs")
    answer = web.get(f"/api/jobs/{job.job_id}/videos?cursor={cursor}", headers=mine)
    assert answer.status_code == 400, answer.text
    assert web.get(f"/api/jobs/{job.job_id}/videos", headers=mine).get_json()["videos"] == []
