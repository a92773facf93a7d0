"""Signing in with Google, against an authorization server that speaks its wire format and errs on demand."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from infra.local.fake_youtube.oauth.id_tokens import ID_TOKEN_FAULTS
from shared.accounts.sessions import LIFETIME
from shared.gcp.documents import Snapshot
from shared.gcp.firestore import Firestore
from shared.oauth.google import Google
from tests.integration.http_functions import HttpFunctions
from tests.integration.signin_support import OURS, Browser, query_of
from tests.integration.world import Clock, World

YOUTUBE = "https://www.googleapis.com/auth/youtube.readonly"


def attempts(db: Firestore) -> list[Snapshot]:
    return list(db.query("sign_in_attempts"))


def sessions(db: Firestore, user_id: str = "demo") -> list[Snapshot]:
    return list(db.query("sessions", ("user_id", "==", user_id)))


def test_a_sign_in_leads_to_the_profile_and_the_wanted_page(
    google: LiveServer, functions: HttpFunctions, db: Firestore
) -> None:
    browser = Browser(functions)
    assert browser.me().status_code == 401
    assert browser.me().get_json()["sign_in"] == "/api/login"
    assert browser.sign_in("demo", "/?q=grüße sagen#top") == "/?q=gr%C3%BC%C3%9Fe%20sagen#top"
    assert browser.me().get_json() == {
        "user_id": "demo",
        "email": "demo@example.com",
        "name": "Demo Person",
        "picture_url": browser.me().get_json()["picture_url"],
        "grant": "ok",
        "player_base_url": "https://www.youtube-nocookie.com",
        "by_meaning": True,
        "sign_in": True,
        "operator": False,
    }
    assert browser.me().get_json()["picture_url"].startswith("http")
    assert attempts(db) == []


def test_google_is_asked_for_the_needed_scopes_only(
    google: LiveServer, functions: HttpFunctions, db: Firestore
) -> None:
    browser = Browser(functions)
    asked = query_of(browser.ask())
    assert set(asked["scope"].split()) == {"openid", "email", "profile", YOUTUBE}
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["access_type"] == "offline"
    assert asked["redirect_uri"] == "http://localhost/api/login/callback"
    (attempt,) = attempts(db)
    assert attempt.data is not None
    digest = hashlib.sha256(attempt.data["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"]
    assert len({asked["state"], asked["nonce"], attempt.data["code_verifier"]}) == 3
    again = query_of(browser.ask())
    assert not {again[name] for name in ("state", "nonce", "code_challenge")} & set(asked.values())
    browser.back(f"/api/login/callback?state={again['state']}&error=access_denied")


def test_the_cookie_is_for_this_site_and_no_script(google: LiveServer, functions: HttpFunctions) -> None:
    browser = Browser(functions)
    begun = browser.web.get("/api/login").headers["Set-Cookie"]
    callback = browser.allow(browser.ask())
    ended = browser.web.get(urlsplit(callback).path, query_string=urlsplit(callback).query)
    for header in (begun, ended.headers["Set-Cookie"]):
        flags = {part.strip() for part in header.split(";")[1:]}
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= flags
        assert not any(flag.startswith("Domain") or flag == "Secure" for flag in flags)
    assert ended.headers["Referrer-Policy"] == "no-referrer"


def _wrong(changes: dict[str, str | None]) -> Any:
    def change(address: str) -> str:
        query = {**query_of(address), **changes}
        kept = {name: value for name, value in query.items() if value is not None}
        return f"{urlsplit(address).path}?{urlencode(kept)}"

    return change


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": None},
        {"state": ""},
        {"code": "4/0foreign-code-of-somebody"},
        {"code": None},
        {"code": ""},
        {"code": "\x00é"},
        {"code": None, "error": "server_error"},
    ],
)
def test_an_answer_to_another_attempt_signs_nobody_in(
    changes: dict[str, str | None], google: LiveServer, functions: HttpFunctions
) -> None:
    browser = Browser(functions)
    callback = browser.allow(browser.ask())
    assert browser.back(_wrong(changes)(callback)) == "/?signin=failed"
    assert browser.me().status_code == 401
    # And the attempt is used up: the right answer comes too late.
    assert browser.back(callback) == "/?signin=expired"
    assert browser.me().status_code == 401


def test_an_answer_can_be_used_once(google: LiveServer, functions: HttpFunctions) -> None:
    browser = Browser(functions)
    callback = browser.allow(browser.ask())
    cookie = browser.cookie
    assert browser.back(callback) == "/"
    assert cookie is not None
    thief = Browser(functions)
    thief.cookie = cookie
    assert thief.back(callback) == "/?signin=expired"
    assert thief.me().status_code == 401


def test_an_answer_cannot_be_used_in_another_browser(google: LiveServer, functions: HttpFunctions) -> None:
    """Login CSRF: a victim's browser is sent to the attacker's answer, to work in the attacker's account."""
    attacker, victim = Browser(functions), Browser(functions)
    callback = attacker.allow(attacker.ask(), "other")
    assert victim.back(callback) == "/?signin=expired"
    assert victim.me().status_code == 401
    victim.ask()
    assert victim.back(callback) == "/?signin=failed"
    assert victim.me().status_code == 401


def test_a_code_from_another_attempt_is_refused(google: LiveServer, functions: HttpFunctions) -> None:
    """The code of the attacker's attempt with the state of the victim's: the verifier does not fit."""
    attacker, victim = Browser(functions), Browser(functions)
    foreign = query_of(attacker.allow(attacker.ask(), "other"))["code"]
    callback = victim.allow(victim.ask(), "demo")
    assert victim.back(_wrong({"code": foreign})(callback)) == "/?signin=failed"
    assert victim.me().status_code == 401


@pytest.mark.parametrize("fault", ID_TOKEN_FAULTS)
def test_an_invalid_id_token_signs_nobody_in(
    fault: str, google: LiveServer, functions: HttpFunctions, db: Firestore
) -> None:
    google.control("oauth", {"id_token": fault})
    browser = Browser(functions)
    assert browser.sign_in() == "/?signin=failed"
    assert browser.me().status_code == 401
    assert not list(db.query("sessions"))


def test_new_keys_of_google_are_fetched_when_a_token_names_them(
    google: LiveServer, world: World, functions: HttpFunctions
) -> None:
    world.google = Google(world.config, keys_again=0)
    assert Browser(functions).sign_in() == "/"
    google.control("oauth", {"rotate_keys": True})
    assert Browser(functions).sign_in() == "/"


def test_a_person_who_refuses_is_told_so(google: LiveServer, functions: HttpFunctions) -> None:
    google.control("oauth", {"deny": True})
    browser = Browser(functions)
    assert browser.sign_in() == "/?signin=denied"
    assert browser.me().status_code == 401


def test_a_person_who_leaves_youtube_out_is_signed_in_with_an_expired_grant(
    google: LiveServer, functions: HttpFunctions
) -> None:
    google.control("oauth", {"without_scopes": [YOUTUBE]})
    browser = Browser(functions)
    assert browser.sign_in(next_path="/elsewhere") == "/?signin=missing_scope"
    assert browser.me().get_json()["grant"] == "expired"
    google.control("reset", {"what": ["oauth"]})
    assert browser.sign_in() == "/"
    assert browser.me().get_json()["grant"] == "ok"
    # Less, later, does not take away what was given.
    google.control("oauth", {"without_scopes": [YOUTUBE]})
    assert browser.sign_in() == "/?signin=missing_scope"
    assert browser.me().get_json()["grant"] == "ok"


def test_an_attempt_ends_after_ten_minutes(
    google: LiveServer, clock_of_test: Clock, functions: HttpFunctions
) -> None:
    browser = Browser(functions)
    callback = browser.allow(browser.ask())
    clock_of_test.forward(minutes=10, seconds=1)
    assert browser.back(callback) == "/?signin=expired"
    assert browser.me().status_code == 401


@pytest.mark.parametrize("target", ["token", "certs"])
def test_a_google_that_does_not_answer_signs_nobody_in(
    target: str, google: LiveServer, functions: HttpFunctions
) -> None:
    google.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": [target]})
    browser = Browser(functions)
    assert browser.sign_in() == "/?signin=failed"
    assert browser.me().status_code == 401


@pytest.mark.parametrize("mode", ["no-cors", "cors", "same-origin", "websocket"])
def test_a_page_of_another_site_cannot_begin_a_sign_in_with_a_picture(
    mode: str, google: LiveServer, functions: HttpFunctions, db: Firestore
) -> None:
    browser = Browser(functions)
    for path in ("/api/login", "/api/login/callback"):
        answer = browser.web.get(path, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode})
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
    assert attempts(db) == []


# -- sessions ----------------------------------------------------------------------------------------


def test_a_session_is_new_at_each_sign_in_and_the_one_before_ends(
    google: LiveServer, functions: HttpFunctions
) -> None:
    browser = Browser(functions)
    browser.sign_in()
    first = browser.cookie
    assert first is not None
    browser.sign_in()
    assert browser.cookie != first
    stale = Browser(functions)
    stale.cookie = first
    assert stale.me().status_code == 401
    assert browser.me().status_code == 200


def test_a_planted_session_is_of_no_use(google: LiveServer, functions: HttpFunctions) -> None:
    """Session fixation."""
    planted = f"yts_session_{'A' * 43}"
    browser, attacker = Browser(functions), Browser(functions)
    browser.cookie = attacker.cookie = planted
    assert browser.sign_in() == "/"
    assert browser.cookie != planted
    assert attacker.me().status_code == 401


def test_a_failed_attempt_does_not_sign_out(google: LiveServer, functions: HttpFunctions) -> None:
    browser = Browser(functions)
    browser.sign_in()
    google.control("oauth", {"deny": True})
    address = browser.ask()
    assert query_of(address)["login_hint"] == "demo"
    assert browser.me().status_code == 200
    assert browser.back(browser.allow(address)) == "/?signin=denied"
    assert browser.me().get_json()["user_id"] == "demo"


def test_signing_out_ends_the_session_and_all_copies_of_its_cookie(
    google: LiveServer, functions: HttpFunctions, db: Firestore
) -> None:
    browser, thief = Browser(functions), Browser(functions)
    browser.sign_in()
    assert browser.cookie is not None
    thief.cookie = browser.cookie
    assert thief.me().status_code == 200
    answer = browser.web.post("/api/logout", headers=OURS)
    assert (answer.status_code, answer.data) == (204, b"")
    assert browser.cookie is None
    assert thief.me().status_code == 401
    assert not sessions(db)


def test_a_session_ends_after_its_lifetime(
    google: LiveServer, clock_of_test: Clock, functions: HttpFunctions
) -> None:
    browser = Browser(functions)
    browser.sign_in()
    clock_of_test.ahead = LIFETIME * 0.99
    assert browser.me().status_code == 200
    clock_of_test.ahead = LIFETIME
    assert browser.me().status_code == 401


def test_a_forged_cookie_is_refused(google: LiveServer, functions: HttpFunctions, db: Firestore) -> None:
    browser = Browser(functions)
    browser.sign_in()
    assert browser.cookie is not None
    (stored,) = sessions(db)
    assert browser.cookie not in str(stored)
    for forged in (
        stored.id,
        f"yts_session_{stored.id}",
        browser.cookie[:-1],
        browser.cookie + "A",
        "demo",
        "~",
        "",
    ):
        thief = Browser(functions)
        thief.cookie = forged
        assert thief.me().status_code == 401, forged


def test_a_token_and_a_cookie_do_not_mix(google: LiveServer, functions: HttpFunctions) -> None:
    browser = Browser(functions)
    browser.sign_in("demo")
    other = Browser(functions)
    other.sign_in("other")
    token = other.web.post("/api/tokens", json={"name": "laptop"}, headers=OURS).get_json()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.web.get("/api/me", headers=bearer).get_json()["user_id"] == "other"
    for header in ("Bearer yts_unknown", "Basic eDp5", "", f"Bearer {browser.cookie}"):
        assert browser.web.get("/api/me", headers={"Authorization": header}).status_code == 401, header
    # A token as a cookie, and signing out with a token: neither touches the session.
    thief = Browser(functions)
    thief.cookie = token
    assert thief.me().status_code == 401
    assert browser.web.post("/api/logout", headers=bearer).status_code == 204
    assert browser.me().get_json()["user_id"] == "demo"


def test_the_whole_flow_does_not_redirect_to_another_site(
    google: LiveServer, functions: HttpFunctions
) -> None:
    assert Browser(functions).sign_in(next_path="//evil.example/") == "/"
