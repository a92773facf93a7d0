"""Tokens of the stand-in's authorization server.

Access and refresh tokens carry what they are for, signed with a key that never changes: a library
of a local run that was signed in stays signed in when the stand-in is started again. ID tokens are
RS256 (RFC 7519, OpenID Connect Core 1.0, section 2) by a key pair that is made at the first use.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.standin.catalog import USERS

_SIGNING = b"the stand-in guards nothing"
_ID_TOKEN_SECONDS = 3_600

#: Ways in which an ID token can be wrong, for tests of who verifies it.
ID_TOKEN_FAULTS = (
    "bad_signature", "unknown_key", "alg_none", "hs256", "wrong_aud", "wrong_iss", "wrong_nonce",
    "no_nonce", "expired", "not_yet", "no_sub", "missing", "garbage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allowed a client to do. `id` is what revocation revokes."""

    id: str
    user: str
    client_id: str
    scopes: tuple[str, ...]

    @property
    def scope(self) -> str:
        return " ".join(self.scopes)


def subject(user: str) -> str:
    """The `sub`, an id that never changes; Google's has 21 digits. Here it is the name that local runs
    know the person by, so that who signs in finds what `./emulators.sh index` put into their library."""
    return user


def email(user: str) -> str:
    return f"{user}@example.com"


def user_named(text: str) -> str | None:
    """By name, address or `sub`: what a login_hint may be."""
    return next((user for user in USERS if text in (user, email(user), subject(user))), None)


def profile(user: str, scopes: tuple[str, ...], origin: str) -> dict[str, Any]:
    claims: dict[str, Any] = {"sub": subject(user)}
    if any(scope.endswith("email") for scope in scopes):
        claims |= {"email": email(user), "email_verified": True}
    if any(scope.endswith("profile") for scope in scopes):
        given, _, family = USERS[user].title.partition(" ")
        claims |= {
            "name": USERS[user].title,
            "given_name": given,
            "family_name": family,
            "picture": f"{origin}/vi/{USERS[user].id}/default.jpg",
        }
    return claims


def sealed(prefix: str, grant: Grant, expires: float) -> str:
    """A token that holds its grant; `expires`: seconds since 1970, 0 for never."""
    payload = json.dumps({"grant": asdict(grant), "expires": expires, "salt": secrets.token_hex(4)}).encode()
    signature = hmac.digest(_SIGNING, prefix.encode() + payload, "sha256")
    return prefix + _text(signature + payload)


def opened(prefix: str, token: str, now: float) -> Grant | None:
    """The grant of a token that is ours and not expired."""
    if not token.startswith(prefix):
        return None
    body = token[len(prefix) :]
    try:
        sealed_bytes = urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        return None
    signature, payload = sealed_bytes[:32], sealed_bytes[32:]
    if not hmac.compare_digest(signature, hmac.digest(_SIGNING, prefix.encode() + payload, "sha256")):
        return None
    held = json.loads(payload)
    if held["expires"] and held["expires"] <= now:
        return None
    fields = held["grant"]
    return Grant(fields["id"], fields["user"], fields["client_id"], tuple(fields["scopes"]))


class Keys:
    """The key pairs ID tokens are signed with; the one before the last rotation is still published."""

    def __init__(self) -> None:
        self._pairs: list[tuple[str, rsa.RSAPrivateKey]] = []

    def current(self) -> tuple[str, rsa.RSAPrivateKey]:
        if not self._pairs:
            self.rotate()
        return self._pairs[-1]

    def rotate(self) -> None:
        pair = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self._pairs = [*self._pairs[-1:], (secrets.token_hex(20), pair)]

    def as_jwks(self) -> dict[str, Any]:
        self.current()
        keys = []
        for kid, pair in self._pairs:
            key = jwt.algorithms.RSAAlgorithm.to_jwk(pair.public_key(), as_dict=True)
            key.pop("key_ops", None)
            keys.append(key | {"kid": kid, "use": "sig", "alg": "RS256"})
        return {"keys": keys}


def id_token(
    keys: Keys,
    grant: Grant,
    issuer: str,
    nonce: str | None,
    access_token: str,
    fault: str | None,
    clock: Callable[[], float] = time.time,
) -> str | None:
    """The ID token, or one that is wrong in the way of `fault`; None for the fault `missing`."""
    now = int(clock())
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: dict[str, Any] = {
        "iss": issuer,
        "azp": grant.client_id,
        "aud": grant.client_id,
        **profile(grant.user, grant.scopes, issuer),
        "at_hash": _text(half),
        "iat": now,
        "exp": now + _ID_TOKEN_SECONDS,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if fault in ("missing", "garbage"):
        return None if fault == "missing" else "not.a.token"
    changes: dict[str, dict[str, Any]] = {
        "wrong_aud": {"aud": "another-client", "azp": "another-client"},
        "wrong_iss": {"iss": "https://accounts.example.com"},
        "wrong_nonce": {"nonce": "another-nonce"},
        "expired": {"iat": now - 86_400, "exp": now - 82_800},
        "not_yet": {"iat": now + 86_400, "nbf": now + 86_400, "exp": now + 90_000},
    }
    claims |= changes.get(fault or "", {})
    for name in {"no_nonce": ("nonce",), "no_sub": ("sub",)}.get(fault or "", ()):
        claims.pop(name, None)
    return _signed(keys, claims, fault)


def _signed(keys: Keys, claims: dict[str, Any], fault: str | None) -> str:
    kid, pair = keys.current()
    if fault in ("alg_none", "hs256"):
        # Made by hand: the library refuses to take part in either attack.
        algorithm = "none" if fault == "alg_none" else "HS256"
        head = f"{_part({'alg': algorithm, 'kid': kid, 'typ': 'JWT'})}.{_part(claims)}"
        if fault == "alg_none":
            return f"{head}."
        # The public key used as if it were a shared secret.
        public = pair.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"{head}.{_text(hmac.digest(public, head.encode(), 'sha256'))}"
    if fault in ("bad_signature", "unknown_key"):
        stranger = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        named = kid if fault == "bad_signature" else "nobody-knows-this-key"
        return jwt.encode(claims, stranger, algorithm="RS256", headers={"kid": named})
    return jwt.encode(claims, pair, algorithm="RS256", headers={"kid": kid})


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
