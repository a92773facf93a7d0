"""Who may use this site, and who runs it. Both are decided by verified e-mail addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from shared.config import Config

#: Why a person is turned away.
Reason = Literal["not_allowed", "nobody_allowed", "suspended"]
SENTENCES: Mapping[Reason, str] = {
    "not_allowed": (
        "This account may not use this site. Sign in with another one, or ask the operator to admit it."
    ),
    "nobody_allowed": "Nobody may use this site yet. Its operator has to set the variable ALLOWED_USERS.",
    "suspended": "The operator has suspended this account. Ask the operator why.",
}


class Access:
    """Decides by the profile of a person as it is stored: ``email``, ``email_verified``, ``hosted_domain``,
    ``suspended``.

    Without ALLOWED_USERS, everybody may use a local run, and only the operators may use a deployment.
    """

    def __init__(self, config: Config) -> None:
        #: Addresses, and domains with an @ before them.
        named = map(str.lower, config.allowed_users)
        self._allowed = frozenset(each if "@" in each or each == "*" else f"@{each}" for each in named)
        self._operators = frozenset(map(str.lower, config.operators))
        self._everybody = "*" in self._allowed or not (self._allowed or config.deployed)

    def is_operator(self, profile: Mapping[str, Any]) -> bool:
        return _address(profile) in self._operators

    def refusal(self, profile: Mapping[str, Any]) -> Reason | None:
        """Why the person is turned away. None for who may come in."""
        if self.is_operator(profile):
            return None
        if profile.get("suspended"):
            return "suspended"
        address = _address(profile)
        if self._everybody or {address, _domain(address, profile)} & self._allowed:
            return None
        return "not_allowed" if self._allowed else "nobody_allowed"


def _domain(address: str, profile: Mapping[str, Any]) -> str | None:
    """The domain, with its @, of an address that Google itself manages. None for any other.

    A private account may have the address of a firm, and keeps it when its person has left the firm
    (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
    """
    domain = address[address.rfind("@") :]
    return domain if profile.get("hosted_domain") or domain == "@gmail.com" else None


def _address(profile: Mapping[str, Any]) -> str:
    """The address in small letters; empty unless Google has verified it and it is in ASCII.

    Everybody can write the address of another into an account. And letters of Unicode look like others.
    """
    address = str(profile.get("email") or "")
    return address.lower() if profile.get("email_verified") is True and address.isascii() else ""
