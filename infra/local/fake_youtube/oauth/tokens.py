"""Access and refresh tokens.

A token contains its grant and is signed with a constant key, so that it needs no storage: a person who
has signed in to a local run stays signed in when the server starts again.
"""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass

#: Not a secret: these tokens protect nothing. Another key would sign out everybody in every local run.
_SIGNING_KEY = b"the stand-in guards nothing"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person has allowed a client to do. Revocation is by ``id``."""

    id: str
    user: str
    client_id: str
    scopes: tuple[str, ...]

    @property
    def scope(self) -> str:
        """As RFC 6749 writes it, separated by spaces."""
        return " ".join(self.scopes)


def sign_token(prefix: str, grant: Grant, expires: float) -> str:
    """`prefix`: tells access tokens from refresh tokens. `expires`: seconds since 1970; 0 for never."""
    payload = json.dumps({"grant": asdict(grant), "expires": expires, "salt": secrets.token_hex(4)}).encode()
    return prefix + base64url(_signature(prefix, payload) + payload)


def read_token(prefix: str, token: str, now: float) -> Grant | None:
    """The grant of a token. None if the token has another prefix, another signature, or has expired."""
    if not token.startswith(prefix):
        return None
    encoded = token[len(prefix) :]
    try:
        decoded = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return None
    signature, payload = decoded[:32], decoded[32:]
    if not hmac.compare_digest(signature, _signature(prefix, payload)):
        return None
    content = json.loads(payload)
    if content["expires"] and content["expires"] <= now:
        return None
    fields = content["grant"]
    return Grant(fields["id"], fields["user"], fields["client_id"], tuple(fields["scopes"]))


def _signature(prefix: str, payload: bytes) -> bytes:
    return hmac.digest(_SIGNING_KEY, prefix.encode() + payload, "sha256")


def base64url(data: bytes) -> str:
    """Without padding, as JSON Web Tokens have it (RFC 7515, section 2)."""
    return urlsafe_b64encode(data).decode().rstrip("=")
