"""Sign-in, with google-auth and google-api-python-client as clients."""

from __future__ import annotations

import json
import time
from typing import Any

import google.auth.exceptions
import google.auth.transport.requests
import google.oauth2.credentials
import pytest
import requests
from googleapiclient.errors import HttpError

from infra.local.fake_youtube.live_server import LiveServer
from infra.local.fake_youtube.oauth.authorization import AuthorizationServer
from tests.unit.fake_youtube.clients import TIMEOUT_SECONDS, Clients
from tests.unit.fake_youtube.sign_in import (
    QUERY,
    YOUTUBE,
    authorize,
    exchange_code,
    redirect_values,
    sign_in,
    verify,
)


def credentials(server: LiveServer, tokens: dict[str, Any]) -> Any:
    make: Any = google.oauth2.credentials.Credentials
    return make(
        tokens.get("access_token"),
        refresh_token=tokens.get("refresh_token"),
        token_uri=f"{server.url}/token",
        client_id="a-client",
        client_secret="a-secret",
    )


def test_login_hint_signs_in_without_a_page(server: LiveServer) -> None:
    back = redirect_values(authorize(server))
    assert back["state"] == "a-state"
    tokens = exchange_code(server, back["code"]).json()
    assert tokens["token_type"] == "Bearer"
    assert YOUTUBE in tokens["scope"].split()
    claims = verify(server, tokens["id_token"])
    assert claims["email"] == "demo@example.com"
    assert claims["hd"] == "example.com", "an account of an organisation"
    assert claims["name"] == "Demo Person"
    assert claims["sub"] == "demo", "the user of the command line"
    other = verify(server, sign_in(server, login_hint="other")["id_token"])
    assert other["sub"] != claims["sub"]


def test_person_chooses_an_account_without_a_login_hint(server: LiveServer) -> None:
    page = authorize(server, login_hint="", state='"><script>')
    assert page.status_code == 200
    assert "<script>" not in page.text
    form = {**QUERY, "choice": "other"}
    url = f"{server.url}/o/oauth2/v2/auth"
    chosen = requests.post(url, data=form, allow_redirects=False, timeout=TIMEOUT_SECONDS)
    token = exchange_code(server, redirect_values(chosen)["code"]).json()["id_token"]
    assert verify(server, token)["email"] == "other@example.com"
    form["choice"] = "deny"
    denied = requests.post(url, data=form, allow_redirects=False, timeout=TIMEOUT_SECONDS)
    assert redirect_values(denied) == {"error": "access_denied", "state": "a-state"}


def test_approval_can_be_turned_off_and_refused(server: LiveServer) -> None:
    server.control("oauth", {"auto_approve": False})
    assert authorize(server).status_code == 200
    assert redirect_values(authorize(server, prompt="none"))["error"] == "interaction_required"
    server.control("oauth", {"deny": True})
    assert redirect_values(authorize(server))["error"] == "access_denied"


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
def test_wrong_authorization_request_is_not_redirected(server: LiveServer, changes: dict[str, str]) -> None:
    assert authorize(server, **changes).status_code == 400


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
def test_code_is_exchanged_only_for_the_client_that_requested_it(
    server: LiveServer, changes: dict[str, str], error: str
) -> None:
    code = redirect_values(authorize(server))["code"]
    answer = exchange_code(server, **{"code": code, **changes})
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error


def test_code_is_exchanged_once(server: LiveServer) -> None:
    code = redirect_values(authorize(server))["code"]
    assert exchange_code(server, code).status_code == 200
    assert exchange_code(server, code).json()["error"] == "invalid_grant"


def test_clients_setting_admits_only_its_clients(server: LiveServer) -> None:
    server.control("oauth", {"clients": {"a-client": "the-secret"}})
    assert authorize(server, client_id="stranger").status_code == 400
    code = redirect_values(authorize(server))["code"]
    assert exchange_code(server, code).status_code == 401
    assert exchange_code(server, code, client_secret="the-secret").status_code == 200


def test_only_consent_brings_a_refresh_token(server: LiveServer) -> None:
    assert "refresh_token" in sign_in(server, prompt="")
    assert "refresh_token" not in sign_in(server, prompt="")
    assert "refresh_token" in sign_in(server, prompt="consent")
    assert "refresh_token" not in sign_in(server, access_type="online")


def test_users_list_their_own_private_playlists_with_refreshed_tokens(
    server: LiveServer, clients: Clients
) -> None:
    server.control("oauth", {"access_token_seconds": -1})
    expired = sign_in(server)
    server.control("oauth", {"access_token_seconds": 3_599})
    youtube = clients.data_api(key=None, credentials=credentials(server, expired))
    own = youtube.playlists().list(part="snippet,status", mine=True, maxResults=50).execute()["items"]
    privacies = {item["id"]: item["status"]["privacyStatus"] for item in own}
    assert privacies["PLdemo-evenings"] == "private"
    assert "PLother-evenings" not in privacies
    items = youtube.playlistItems().list(part="id", playlistId="PLdemo-evenings").execute()
    assert items["pageInfo"]["totalResults"] > 5
    channel = youtube.channels().list(part="contentDetails", mine=True).execute()["items"][0]
    likes = channel["contentDetails"]["relatedPlaylists"]["likes"]
    mine = youtube.playlistItems().list(part="contentDetails", playlistId=likes, maxResults=50).execute()
    others = clients.data_api(key=None, credentials=credentials(server, sign_in(server, login_hint="other")))
    theirs = others.playlistItems().list(part="contentDetails", playlistId=likes, maxResults=50).execute()
    assert mine["items"]
    assert mine["items"] != theirs["items"]
    with pytest.raises(HttpError) as error:
        others.playlistItems().list(part="id", playlistId="PLdemo-evenings").execute()
    assert error.value.status_code == 403


def test_dead_grant_cannot_be_refreshed(server: LiveServer) -> None:
    expired = credentials(server, sign_in(server))
    with requests.Session() as session:
        transport = google.auth.transport.requests.Request(session)
        expired.refresh(transport)
        server.control("oauth", {"dead_grant": True})
        with pytest.raises(google.auth.exceptions.RefreshError, match="invalid_grant"):
            expired.refresh(transport)


def test_revocation_ends_both_tokens(server: LiveServer, clients: Clients) -> None:
    tokens = sign_in(server)
    url = f"{server.url}/revoke"
    form = {"token": tokens["refresh_token"]}
    assert requests.post(url, data=form, timeout=TIMEOUT_SECONDS).status_code == 200
    assert requests.post(url, data=form, timeout=TIMEOUT_SECONDS).json()["error"] == "invalid_token"
    youtube = clients.data_api(
        key=None, credentials=credentials(server, {"access_token": tokens["access_token"]})
    )
    with pytest.raises((HttpError, google.auth.exceptions.RefreshError)):
        youtube.playlists().list(part="id", mine=True).execute()


def test_token_without_the_scope_is_refused(server: LiveServer, clients: Clients) -> None:
    server.control("oauth", {"without_scopes": [YOUTUBE]})
    tokens = sign_in(server)
    assert YOUTUBE not in tokens["scope"].split()
    youtube = clients.data_api(key=None, credentials=credentials(server, tokens))
    with pytest.raises(HttpError) as error:
        youtube.playlists().list(part="id", mine=True).execute()
    assert json.loads(error.value.content)["error"]["errors"][0]["reason"] == "insufficientPermissions"


def test_discovery_names_the_issuer_and_userinfo(server: LiveServer) -> None:
    metadata = requests.get(f"{server.url}/.well-known/openid-configuration", timeout=TIMEOUT_SECONDS).json()
    assert metadata["issuer"] == server.url
    tokens = sign_in(server)
    profile = requests.get(
        metadata["userinfo_endpoint"],
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=TIMEOUT_SECONDS,
    ).json()
    assert profile["email"] == "demo@example.com"


def test_tokens_stay_valid_after_a_restart_until_they_expire(server: LiveServer) -> None:
    token = server.control("token", {"user": "other", "scopes": [YOUTUBE]})["access_token"]
    restarted = AuthorizationServer()
    assert restarted.grants.holder(token) == ("other", frozenset({YOUTUBE}))
    restarted.state.clock = lambda: time.time() + 3_600
    assert restarted.grants.holder(token) is None
    assert restarted.grants.holder(token[:-4] + "AAAA") is None


def test_fault_of_the_token_endpoint(server: LiveServer) -> None:
    server.control("faults", {"kind": "5xx", "endpoints": ["oauth"], "videos": ["token"], "times": 1})
    code = redirect_values(authorize(server))["code"]
    assert exchange_code(server, code).status_code == 503
    assert exchange_code(server, code).status_code == 200
    assert server.stats()["endpoints"]["oauth"]["requests"] == 3
