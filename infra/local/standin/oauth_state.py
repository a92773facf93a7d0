"""What the authorization server knows: settings, codes, who has agreed to what."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from infra.local.standin import oauth_tokens as tokens
from infra.local.standin.catalog import USERS
from infra.local.standin.faults import ControlError, check_fields
from infra.local.standin.oauth_tokens import Grant, Keys

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "auto_approve": bool, "deny": bool, "wrong_state": bool, "dead_grant": bool, "id_token": str,
    "without_scopes": list, "access_token_seconds": int, "clients": dict, "rotate_keys": bool,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Settings:
    """What the control API can change. `clients`: secrets by client id; None: any client, any secret.
    `without_scopes`: boxes the person unticks. `dead_grant`: refresh tokens have died."""

    auto_approve: bool = True
    deny: bool = False
    wrong_state: bool = False
    dead_grant: bool = False
    id_token: str | None = None
    without_scopes: tuple[str, ...] = ()
    access_token_seconds: int = 3_599
    clients: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Code:
    grant: Grant
    redirect_uri: str
    nonce: str | None
    challenge: str | None
    offline: bool
    expires: float


@dataclass(slots=True)
class State:
    """`revoked`: ids of grants. `consented`: (user, client): only the first time brings a refresh token."""

    clock: Callable[[], float] = time.time
    keys: Keys = field(default_factory=Keys)
    settings: Settings = field(default_factory=Settings)
    codes: dict[str, Code] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    consented: set[tuple[str, str]] = field(default_factory=set)

    def reset(self) -> None:
        """Settings, codes and revocations; keys and tokens stay valid."""
        self.settings = Settings()
        self.codes.clear()
        self.revoked.clear()
        self.consented.clear()

    def as_json(self) -> dict[str, Any]:
        people = [{"user": user, "email": tokens.email(user), "sub": tokens.subject(user)} for user in USERS]
        return {**asdict(self.settings), "users": people, "id_token_faults": tokens.ID_TOKEN_FAULTS}

    def change(self, fields: Mapping[str, Any]) -> None:
        """
        Raises:
            ControlError: nothing is changed then.
        """
        optional = {name for name in ("id_token", "clients") if fields.get(name, "") is None}
        check_fields({name: value for name, value in fields.items() if name not in optional}, _FIELDS)
        kind = fields.get("id_token")
        if kind is not None and kind not in tokens.ID_TOKEN_FAULTS:
            raise ControlError(f"expected 'id_token' to be one of {tokens.ID_TOKEN_FAULTS}, found {kind!r}")
        changes = {name: value for name, value in fields.items() if name != "rotate_keys"}
        if "without_scopes" in changes:
            changes["without_scopes"] = tuple(map(str, changes["without_scopes"]))
        self.settings = replace(self.settings, **changes)
        if fields.get("rotate_keys"):
            self.keys.rotate()
