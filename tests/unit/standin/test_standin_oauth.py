"""Sign-in at the stand-in, with google-auth and PyJWT as the clients that check it."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.error
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google.auth.exceptions
import google.auth.transport.requests
import google.oauth2.credentials
import jwt
import pytest
import requests
from googleapiclient.errors import HttpError

from infra.local.standin.inprocess import InProcess
from infra.local.standin.oauth import OAuth
from infra.local.standin.oauth_tokens import ID_TOKEN_FAULTS
from tests.unit.standin.support import TIMEOUT_SECONDS, Clients

VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REDIRECT = "http://127.0.0.1:1/api/login/callback"
YOUTUBE = "https://www.googleapis.com/auth/youtube.readonly"
QUERY = {
    "client_id": "a-client",
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": f"openid email profile {YOUTUBE}",
    "state": "a-state",
    "nonce": "a-nonce",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "access_type": "offline",
    "prompt": "consent",
    "login_hint": "demo",
}


def ask(standin: InProcess, **changes: str) -> requests.Response:
    query = {name: value for name, value in {**QUERY, **changes}.items() if value}
    return requests.get(
        f"{standin.url}/o/oauth2/v2/auth", params=query, allow_redirects=False, timeout=TIMEOUT_SECONDS
    )


def returned(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchange(standin: InProcess, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "a-client",
        "client_secret": "a-secret",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    return requests.post(f"{standin.url}/token", data=form, timeout=TIMEOUT_SECONDS)


def signed_in(standin: InProcess, **changes: str) -> dict[str, Any]:
    tokens: dict[str, Any] = exchange(standin, returned(ask(standin, **changes))["code"]).json()
    return tokens


def verified(standin: InProcess, token: str) -> dict[str, Any]:
    """As a careful client does it."""
    keys = requests.get(f"{standin.url}/oauth2/v3/certs", timeout=TIMEOUT_SECONDS).json()
    by_id = {key.key_id: key for key in jwt.PyJWKSet.from_dict(keys).keys}
    kid = jwt.get_unverified_header(token)["kid"]
    if kid not in by_id:
        raise jwt.InvalidKeyError(kid)
    required = ["sub", "nonce", "exp", "iat"]
    claims: dict[str, Any] = jwt.decode(
        token,
        by_id[kid],
        algorithms=["RS256"],
        audience="a-client",
        issuer=standin.url,
        options={"require": required},
    )
    if claims["nonce"] != "a-nonce":
        raise jwt.InvalidTokenError("nonce")
    return claims


def credentials(standin: InProcess, tokens: dict[str, Any]) -> Any:
    make: Any = google.oauth2.credentials.Credentials
    return make(
        tokens.get("access_token"),
        refresh_token=tokens.get("refresh_token"),
        token_uri=f"{standin.url}/token",
        client_id="a-client",
        client_secret="a-secret",
    )


def test_the_demo_user_is_signed_in_at_once(standin: InProcess) -> None:
    back = returned(ask(standin))
    assert back["state"] == "a-state"
    tokens = exchange(standin, back["code"]).json()
    assert tokens["token_type"] == "Bearer"
    assert YOUTUBE in tokens["scope"].split()
    claims = verified(standin, tokens["id_token"])
    assert claims["email"] == "demo@example.com"
    assert claims["name"] == "Demo Person"
    assert claims["sub"] == "demo", "who signs in locally is the user that the command line knows"
    other = verified(standin, signed_in(standin, login_hint="other")["id_token"])
    assert other["sub"] != claims["sub"]


def test_without_a_hint_the_person_chooses(standin: InProcess) -> None:
    page = ask(standin, login_hint="", state='"><script>')
    assert page.status_code == 200
    assert "<script>" not in page.text
    form = {**QUERY, "choice": "other"}
    url = f"{standin.url}/o/oauth2/v2/auth"
    chosen = requests.post(url, data=form, allow_redirects=False, timeout=TIMEOUT_SECONDS)
    token = exchange(standin, returned(chosen)["code"]).json()["id_token"]
    assert verified(standin, token)["email"] == "other@example.com"
    form["choice"] = "deny"
    denied = requests.post(url, data=form, allow_redirects=False, timeout=TIMEOUT_SECONDS)
    assert returned(denied) == {"error": "access_denied", "state": "a-state"}


def test_approval_can_be_turned_off(standin: InProcess) -> None:
    standin.control("oauth", {"auto_approve": False})
    assert ask(standin).status_code == 200
    assert returned(ask(standin, prompt="none"))["error"] == "interaction_required"
    standin.control("oauth", {"deny": True})
    assert returned(ask(standin))["error"] == "access_denied"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": ""},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": ""},
        {"response_type": "token"},
        {"scope": ""},
        {"code_challenge_method": "plain"},
    ],
)
def test_requests_that_cannot_go_back_to_the_client(standin: InProcess, changes: dict[str, str]) -> None:
    assert ask(standin, **changes).status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "another-verifier-that-is-long-enough-0123456789"}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1/elsewhere"}, "redirect_uri_mismatch"),
        ({"client_id": "another-client"}, "invalid_grant"),
        ({"client_secret": ""}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "4/0nonsense"}, "invalid_grant"),
    ],
)
def test_codes_are_exchanged_only_by_who_asked(
    standin: InProcess, changes: dict[str, str], error: str
) -> None:
    code = returned(ask(standin))["code"]
    answer = exchange(standin, **{"code": code, **changes})
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


def test_a_code_is_good_once(standin: InProcess) -> None:
    code = returned(ask(standin))["code"]
    assert exchange(standin, code).status_code == 200
    assert exchange(standin, code).json()["error"] == "invalid_grant"


def test_known_clients_and_their_secrets(standin: InProcess) -> None:
    standin.control("oauth", {"clients": {"a-client": "the-secret"}})
    assert ask(standin, client_id="stranger").status_code == 400
    code = returned(ask(standin))["code"]
    assert exchange(standin, code).status_code == 401
    assert exchange(standin, code, client_secret="the-secret").status_code == 200


def test_a_refresh_token_comes_with_the_first_consent_only(standin: InProcess) -> None:
    assert "refresh_token" in signed_in(standin, prompt="")
    assert "refresh_token" not in signed_in(standin, prompt="")
    assert "refresh_token" in signed_in(standin, prompt="consent")
    assert "refresh_token" not in signed_in(standin, access_type="online")


def test_google_auth_refreshes_and_lists_what_is_the_users_own(standin: InProcess, clients: Clients) -> None:
    standin.control("oauth", {"access_token_seconds": -1})
    expired = signed_in(standin)
    standin.control("oauth", {"access_token_seconds": 3_599})
    youtube = clients.data_api(key=None, credentials=credentials(standin, expired))
    own = youtube.playlists().list(part="snippet,status", mine=True, maxResults=50).execute()["items"]
    privacies = {item["id"]: item["status"]["privacyStatus"] for item in own}
    assert privacies["PLdemo-evenings"] == "private"
    assert "PLother-evenings" not in privacies
    items = youtube.playlistItems().list(part="id", playlistId="PLdemo-evenings").execute()
    assert items["pageInfo"]["totalResults"] > 5
    channel = youtube.channels().list(part="contentDetails", mine=True).execute()["items"][0]
    likes = channel["contentDetails"]["relatedPlaylists"]["likes"]
    mine = youtube.playlistItems().list(part="contentDetails", playlistId=likes, maxResults=50).execute()
    others = clients.data_api(
        key=None, credentials=credentials(standin, signed_in(standin, login_hint="other"))
    )
    theirs = others.playlistItems().list(part="contentDetails", playlistId=likes, maxResults=50).execute()
    assert mine["items"]
    assert mine["items"] != theirs["items"]
    with pytest.raises(HttpError) as error:
        others.playlistItems().list(part="id", playlistId="PLdemo-evenings").execute()
    assert error.value.status_code == 403


def test_a_dead_grant_is_an_invalid_grant(standin: InProcess) -> None:
    held = credentials(standin, signed_in(standin))
    with requests.Session() as session:
        transport = google.auth.transport.requests.Request(session)
        held.refresh(transport)
        standin.control("oauth", {"dead_grant": True})
        with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
            held.refresh(transport)


def test_revocation_ends_both_tokens(standin: InProcess, clients: Clients) -> None:
    tokens = signed_in(standin)
    url = f"{standin.url}/revoke"
    form = {"token": tokens["refresh_token"]}
    assert requests.post(url, data=form, timeout=TIMEOUT_SECONDS).status_code == 200
    assert requests.post(url, data=form, timeout=TIMEOUT_SECONDS).json()["error"] == "invalid_token"
    youtube = clients.data_api(
        key=None, credentials=credentials(standin, {"access_token": tokens["access_token"]})
    )
    with pytest.raises((HttpError, google.auth.exceptions.RefreshError)):
        youtube.playlists().list(part="id", mine=True).execute()


def test_a_scope_that_was_not_granted(standin: InProcess, clients: Clients) -> None:
    standin.control("oauth", {"without_scopes": [YOUTUBE]})
    tokens = signed_in(standin)
    assert YOUTUBE not in tokens["scope"].split()
    youtube = clients.data_api(key=None, credentials=credentials(standin, tokens))
    with pytest.raises(HttpError) as error:
        youtube.playlists().list(part="id", mine=True).execute()
    assert json.loads(error.value.content)["error"]["errors"][0]["reason"] == "insufficientPermissions"


@pytest.mark.parametrize("fault", [kind for kind in ID_TOKEN_FAULTS if kind != "missing"])
def test_a_careful_client_refuses_every_wrong_id_token(standin: InProcess, fault: str) -> None:
    standin.control("oauth", {"id_token": fault})
    token = signed_in(standin)["id_token"]
    with pytest.raises(jwt.PyJWTError):
        verified(standin, token)
    standin.control("oauth", {"id_token": None})
    verified(standin, signed_in(standin)["id_token"])


def test_a_missing_id_token_and_a_wrong_state(standin: InProcess) -> None:
    standin.control("oauth", {"id_token": "missing", "wrong_state": True})
    assert "id_token" not in signed_in(standin)
    assert returned(ask(standin))["state"] != "a-state"


def test_the_attack_with_the_public_key_would_work_on_a_careless_client(standin: InProcess) -> None:
    standin.control("oauth", {"id_token": "hs256"})
    token = signed_in(standin)["id_token"]
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    standin.control("oauth", {"id_token": "alg_none"})
    assert signed_in(standin)["id_token"].endswith(".")


def test_keys_rotate_and_the_last_ones_stay_for_a_while(standin: InProcess) -> None:
    before = signed_in(standin)["id_token"]
    standin.control("oauth", {"rotate_keys": True})
    after = signed_in(standin)["id_token"]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    verified(standin, before)
    verified(standin, after)
    standin.control("oauth", {"rotate_keys": True})
    with pytest.raises(jwt.InvalidKeyError):
        verified(standin, before)


def test_discovery_names_what_is_there(standin: InProcess) -> None:
    found = requests.get(f"{standin.url}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS).json()
    assert found["issuer"] == standin.url
    tokens = signed_in(standin)
    who = requests.get(
        found["userinfo_endpoint"],
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=TIMEOUT_SECONDS,
    ).json()
    assert who["email"] == "demo@example.com"


def test_tokens_outlive_the_process_but_not_their_time(standin: InProcess) -> None:
    token = standin.control("token", {"user": "other", "scopes": [YOUTUBE]})["access_token"]
    started_again = OAuth()
    assert started_again.grants.holder(token) == ("other", frozenset({YOUTUBE}))
    started_again.state.clock = lambda: time.time() + 3_600
    assert started_again.grants.holder(token) is None
    assert started_again.grants.holder(token[:-4] + "AAAA") is None


def test_faults_of_sign_in(standin: InProcess) -> None:
    standin.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["token"], "times": 1})
    code = returned(ask(standin))["code"]
    assert exchange(standin, code).status_code == 503
    assert exchange(standin, code).status_code == 200
    assert standin.stats()["endpoints"]["oauth"]["requests"] == 3


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("oauth", {"id_token": "odd"}, "expected 'id_token'"),
        ("oauth", {"deny": "yes"}, "expected 'deny'"),
        ("token", {"user": "nobody"}, "expected a user of"),
    ],
)
def test_control_says_what_it_expected(
    standin: InProcess, name: str, body: dict[str, Any], message: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        standin.control(name, body)
    assert message in json.loads(error.value.read())["error"]
    error.value.close()
