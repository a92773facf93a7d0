"""Encryption at rest, with keys that can be exchanged (https://cryptography.io/en/latest/fernet/)."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from shared import config


class Undecryptable(Exception):
    """None of the present keys opens it."""


def encrypt(text: str) -> bytes:
    """With the first of GRANT_ENCRYPTION_KEYS. Raises ConfigError when there is none."""
    return Fernet(config.load().oauth.encryption_keys[0]).encrypt(text.encode())


def decrypt(sealed: bytes) -> tuple[str, bool]:
    """The text, and whether a key other than the first opened it: time to encrypt it anew.

    Raises:
        Undecryptable: its key has gone.
        ConfigError: there are no keys.
    """
    keys = [Fernet(key) for key in config.load().oauth.encryption_keys]
    try:
        return keys[0].decrypt(sealed).decode(), False
    except InvalidToken:
        try:
            return MultiFernet(keys).decrypt(sealed).decode(), True
        except InvalidToken as error:
            raise Undecryptable("None of GRANT_ENCRYPTION_KEYS opens what is stored.") from error
