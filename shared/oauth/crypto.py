"""Encryption at rest, with keys that can be rotated (https://cryptography.io/en/latest/fernet/)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Undecryptable(Exception):
    """None of the keys decrypts the value."""


class Cipher:
    """Encrypts with the first of its Fernet keys, and decrypts with all of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._newest = Fernet(keys[0])
        self._all = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> bytes:
        return self._newest.encrypt(text.encode())

    def decrypt(self, encrypted: bytes) -> tuple[str, bool]:
        """The text, and whether it should be encrypted again because an older key was needed.

        Raises:
            Undecryptable: the key is not among the keys any more.
        """
        try:
            return self._newest.decrypt(encrypted).decode(), False
        except InvalidToken:
            pass
        try:
            return self._all.decrypt(encrypted).decode(), True
        except InvalidToken as error:
            raise Undecryptable("None of GRANT_ENCRYPTION_KEYS decrypts the value.") from error
