"""A client that signs people in: the requests of the authorization code flow, and a check of ID tokens."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import requests

from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import TIMEOUT_SECONDS

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


def authorize(server: LiveServer, **changes: str) -> requests.Response:
    """Sends the person to Google. `changes`: of the query; an empty value omits the parameter."""
    query = {name: value for name, value in {**QUERY, **changes}.items() if value}
    return requests.get(
        f"{server.url}/o/oauth2/v2/auth", params=query, allow_redirects=False, timeout=TIMEOUT_SECONDS
    )


def redirect_values(answer: requests.Response) -> dict[str, str]:
    """The values in the query of a redirect back to the client."""
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def exchange_code(server: LiveServer, code: str, **changes: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "client_id": "a-client",
        "client_secret": "a-secret",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **changes,
    }
    return requests.post(f"{server.url}/token", data=form, timeout=TIMEOUT_SECONDS)


def sign_in(server: LiveServer, **changes: str) -> dict[str, Any]:
    """The tokens of a person who has signed in. `changes`: see :func:`authorize`."""
    code = redirect_values(authorize(server, **changes))["code"]
    tokens: dict[str, Any] = exchange_code(server, code).json()
    return tokens


def verify(server: LiveServer, token: str) -> dict[str, Any]:
    """The claims of an ID token, after all checks that a client should make.

    Raises:
        jwt.PyJWTError: the token fails a check.
    """
    keys = requests.get(f"{server.url}/oauth2/v3/certs", timeout=TIMEOUT_SECONDS).json()
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
        issuer=server.url,
        options={"require": required},
    )
    if claims["nonce"] != "a-nonce":
        raise jwt.InvalidTokenError("nonce")
    return claims
