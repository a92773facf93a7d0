"""Secrets that this site makes for people: random, shown once, and stored as a hash."""

from __future__ import annotations

import hashlib
import secrets


def make_secret(kind: str) -> str:
    """A new secret. All begin with `yts_`, so that no log shows them (see :func:`shared.logs.redact`)."""
    return f"yts_{kind}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """The name under which a session, a token, a feed or a link is stored.

    A secret of 256 random bits needs no slow hash, and the document can be found by this one.
    """
    return hashlib.sha256(secret.encode()).hexdigest()
