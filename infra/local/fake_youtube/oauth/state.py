"""The state of the authorization server: settings, authorization codes, consents and revocations."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from infra.local.fake_youtube.fields import FieldTypes, check_choice, check_fields
from infra.local.fake_youtube.library.catalog import USERS
from infra.local.fake_youtube.oauth.id_tokens import ID_TOKEN_FAULTS, SigningKeys
from infra.local.fake_youtube.oauth.people import email, subject
from infra.local.fake_youtube.oauth.tokens import Grant

_FIELDS: FieldTypes = {
    "auto_approve": bool, "deny": bool, "wrong_state": bool, "dead_grant": bool, "id_token": str,
    "without_scopes": list, "access_token_seconds": int, "clients": dict, "rotate_keys": bool,
}  # fmt: skip
#: null resets these fields.
_NULLABLE = ("id_token", "clients")


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """What the control API can change.

    ``auto_approve``: a login_hint is enough to sign in. ``deny``: the person refuses.
    ``wrong_state``: the client gets back another state than its own. ``dead_grant``: refresh tokens are
    refused. ``id_token``: one of ID_TOKEN_FAULTS. ``without_scopes``: scopes that the person unticks.
    ``clients``: secrets by client id; None admits every client and every secret.
    """

    auto_approve: bool = True
    deny: bool = False
    wrong_state: bool = False
    dead_grant: bool = False
    id_token: str | None = None
    without_scopes: tuple[str, ...] = ()
    access_token_seconds: int = 3_599
    clients: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """What the exchange of a code must match, and what it returns. ``offline``: with a refresh token.
    ``expires``: seconds since 1970."""

    grant: Grant
    redirect_uri: str
    nonce: str | None
    challenge: str | None
    offline: bool
    expires: float


@dataclass(slots=True)
class OAuthState:
    """``revoked``: ids of grants. ``consented``: pairs of user and client; only the first consent of a
    pair brings a refresh token."""

    clock: Callable[[], float] = time.time
    keys: SigningKeys = field(default_factory=SigningKeys)
    settings: OAuthSettings = field(default_factory=OAuthSettings)
    codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    consented: set[tuple[str, str]] = field(default_factory=set)

    def reset(self) -> None:
        """Resets all but the keys, so that tokens stay valid."""
        self.settings = OAuthSettings()
        self.codes.clear()
        self.revoked.clear()
        self.consented.clear()

    def as_json(self) -> dict[str, Any]:
        users = [{"user": user, "email": email(user), "sub": subject(user)} for user in USERS]
        return {**asdict(self.settings), "users": users, "id_token_faults": ID_TOKEN_FAULTS}

    def change(self, fields: Mapping[str, Any]) -> None:
        """
        Raises:
            ControlError: nothing has changed.
        """
        given = {name: value for name, value in fields.items() if value is not None or name not in _NULLABLE}
        check_fields(given, _FIELDS)
        if "id_token" in given:
            check_choice("id_token", given["id_token"], ID_TOKEN_FAULTS)
        changes = {name: value for name, value in fields.items() if name != "rotate_keys"}
        if "without_scopes" in changes:
            changes["without_scopes"] = tuple(map(str, changes["without_scopes"]))
        self.settings = replace(self.settings, **changes)
        if fields.get("rotate_keys"):
            self.keys.rotate()
