"""ID tokens, as a client verifies them, and their faults."""

from __future__ import annotations

import jwt
import pytest

from infra.local.fake_youtube.live_server import LiveServer
from infra.local.fake_youtube.oauth.id_tokens import ID_TOKEN_FAULTS
from tests.unit.fake_youtube.sign_in import authorize, redirect_values, sign_in, verify


@pytest.mark.parametrize("fault", [kind for kind in ID_TOKEN_FAULTS if kind != "missing"])
def test_client_refuses_every_faulty_id_token(server: LiveServer, fault: str) -> None:
    server.control("oauth", {"id_token": fault})
    token = sign_in(server)["id_token"]
    with pytest.raises(jwt.PyJWTError):
        verify(server, token)
    server.control("oauth", {"id_token": None})
    verify(server, sign_in(server)["id_token"])


def test_missing_id_token_and_wrong_state(server: LiveServer) -> None:
    server.control("oauth", {"id_token": "missing", "wrong_state": True})
    assert "id_token" not in sign_in(server)
    assert redirect_values(authorize(server))["state"] != "a-state"


def test_forged_id_tokens_have_the_algorithms_of_the_attacks(server: LiveServer) -> None:
    server.control("oauth", {"id_token": "hs256"})
    token = sign_in(server)["id_token"]
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    server.control("oauth", {"id_token": "alg_none"})
    assert sign_in(server)["id_token"].endswith(".")


def test_previous_key_is_published_until_the_next_rotation(server: LiveServer) -> None:
    before = sign_in(server)["id_token"]
    server.control("oauth", {"rotate_keys": True})
    after = sign_in(server)["id_token"]
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    verify(server, before)
    verify(server, after)
    server.control("oauth", {"rotate_keys": True})
    with pytest.raises(jwt.InvalidKeyError):
        verify(server, before)
