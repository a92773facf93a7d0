"""ID tokens (OpenID Connect Core 1.0, section 2), signed with RS256, and faulty ones on request."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from infra.local.fake_youtube.oauth.people import profile
from infra.local.fake_youtube.oauth.tokens import Grant, base64url

_LIFETIME_SECONDS = 3_600

#: What can be wrong with an ID token. A client that verifies it refuses all of them.
ID_TOKEN_FAULTS = (
    "bad_signature", "unknown_key", "alg_none", "hs256", "wrong_aud", "wrong_iss", "wrong_nonce",
    "no_nonce", "expired", "not_yet", "no_sub", "missing", "garbage",
)  # fmt: skip


class SigningKeys:
    """The key pairs that sign ID tokens. The first is made when it is needed; after a rotation the
    previous one is still published."""

    def __init__(self) -> None:
        #: Key id and private key, the current pair last.
        self._pairs: list[tuple[str, rsa.RSAPrivateKey]] = []

    def current(self) -> tuple[str, rsa.RSAPrivateKey]:
        if not self._pairs:
            self.rotate()
        return self._pairs[-1]

    def rotate(self) -> None:
        self._pairs = [*self._pairs[-1:], (secrets.token_hex(20), _make_key())]

    def as_jwks(self) -> dict[str, Any]:
        """The public keys as a JSON Web Key Set (RFC 7517)."""
        self.current()
        keys = []
        for key_id, private in self._pairs:
            key = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
            key.pop("key_ops", None)
            keys.append(key | {"kid": key_id, "use": "sig", "alg": "RS256"})
        return {"keys": keys}


def _make_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def make_id_token(
    keys: SigningKeys,
    grant: Grant,
    issuer: str,
    nonce: str | None,
    access_token: str,
    fault: str | None,
    clock: Callable[[], float] = time.time,
) -> str | None:
    """`fault`: one of ID_TOKEN_FAULTS, or None for a correct token. The fault `missing` returns None."""
    if fault == "missing":
        return None
    if fault == "garbage":
        return "not.a.token"
    now = int(clock())
    access_token_hash = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: dict[str, Any] = {
        "iss": issuer,
        "azp": grant.client_id,
        "aud": grant.client_id,
        **profile(grant.user, grant.scopes, issuer),
        "at_hash": base64url(access_token_hash),
        "iat": now,
        "exp": now + _LIFETIME_SECONDS,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    match fault:
        case "wrong_aud":
            claims |= {"aud": "another-client", "azp": "another-client"}
        case "wrong_iss":
            claims["iss"] = "https://accounts.example.com"
        case "wrong_nonce":
            claims["nonce"] = "another-nonce"
        case "no_nonce":
            claims.pop("nonce", None)
        case "no_sub":
            claims.pop("sub", None)
        case "expired":
            claims |= {"iat": now - 86_400, "exp": now - 82_800}
        case "not_yet":
            claims |= {"iat": now + 86_400, "nbf": now + 86_400, "exp": now + 90_000}
    return _sign(keys, claims, fault)


def _sign(keys: SigningKeys, claims: dict[str, Any], fault: str | None) -> str:
    key_id, private = keys.current()
    match fault:
        # PyJWT refuses to make these two tokens, so they are put together here.
        case "alg_none":
            return f"{_unsigned('none', key_id, claims)}."
        case "hs256":
            # The attack: the public key serves as a shared secret.
            public = private.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            unsigned = _unsigned("HS256", key_id, claims)
            return f"{unsigned}.{base64url(hmac.digest(public, unsigned.encode(), 'sha256'))}"
        case "bad_signature":
            private = _make_key()
        case "unknown_key":
            private, key_id = _make_key(), "nobody-knows-this-key"
    return jwt.encode(claims, private, algorithm="RS256", headers={"kid": key_id})


def _unsigned(algorithm: str, key_id: str, claims: dict[str, Any]) -> str:
    """Header and claims of a JSON Web Token."""
    header = {"alg": algorithm, "kid": key_id, "typ": "JWT"}
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
