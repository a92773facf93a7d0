"""The token endpoint: codes and refresh tokens become access tokens; and their revocation."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from infra.local.standin import oauth_tokens as tokens
from infra.local.standin.catalog import USERS
from infra.local.standin.faults import ControlError
from infra.local.standin.oauth_state import State
from infra.local.standin.oauth_tokens import Grant
from infra.local.standin.wire import Reply, json_reply

_ACCESS, _REFRESH = "ya29.", "1//"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class _TokenError(Exception):
    """RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.status = error, status


class Grants:
    def __init__(self, state: State) -> None:
        self._state = state

    def holder(self, token: str) -> tuple[str, frozenset[str]] | None:
        """(user, scopes) of an access token, or None if it is not valid."""
        grant = tokens.opened(_ACCESS, token, self._state.clock())
        if grant is None or grant.id in self._state.revoked:
            return None
        return grant.user, frozenset(grant.scopes)

    def issue(self, user: str, scopes: tuple[str, ...], client_id: str) -> dict[str, Any]:
        """Tokens without any ceremony, for tests.

        Raises:
            ControlError: there is no such user.
        """
        if user not in USERS:
            raise ControlError(f"expected a user of {sorted(USERS)}, found {user!r}")
        grant = Grant(secrets.token_hex(8), user, client_id, scopes)
        return self._granted(grant, "", None, refresh=True)

    def token(self, form: Mapping[str, str], authorization: str, origin: str) -> Reply:
        try:
            client_id = self._client(form, authorization)
            match form.get("grant_type"):
                case "authorization_code":
                    answer = self._exchange(form, client_id, origin)
                case "refresh_token":
                    answer = self._refresh(form, client_id, origin)
                case other:
                    raise _TokenError("unsupported_grant_type", f"Invalid grant_type: {other}")
        except _TokenError as error:
            body = {"error": error.error, "error_description": str(error)}
            return json_reply(body, False, error.status, _NO_STORE)
        return json_reply(answer, False, 200, _NO_STORE)

    def _client(self, form: Mapping[str, str], authorization: str) -> str:
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise _TokenError("invalid_client", "Unauthorized", 401) from error
        if not client_id:
            raise _TokenError("invalid_request", "Could not determine client ID from request.")
        known = self._state.settings.clients
        if known is not None and client_id not in known:
            raise _TokenError("invalid_client", "The OAuth client was not found.", 401)
        if not secret or (known is not None and not hmac.compare_digest(known[client_id], secret)):
            raise _TokenError("invalid_client", "Unauthorized", 401)
        return client_id

    def _exchange(self, form: Mapping[str, str], client_id: str, origin: str) -> dict[str, Any]:
        code = self._state.codes.pop(form.get("code", ""), None)
        if code is None or code.grant.client_id != client_id or code.expires <= self._state.clock():
            raise _TokenError("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _TokenError("redirect_uri_mismatch", "Bad Request")
        if code.challenge is not None:
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if not hmac.compare_digest(base64.urlsafe_b64encode(digest).decode().rstrip("="), code.challenge):
                raise _TokenError("invalid_grant", "Invalid code verifier.")
        return self._granted(code.grant, origin, code.nonce, code.offline)

    def _refresh(self, form: Mapping[str, str], client_id: str, origin: str) -> dict[str, Any]:
        grant = tokens.opened(_REFRESH, form.get("refresh_token", ""), self._state.clock())
        if (
            grant is None
            or grant.client_id != client_id
            or grant.id in self._state.revoked
            or self._state.settings.dead_grant
        ):
            raise _TokenError("invalid_grant", "Token has been expired or revoked.")
        return self._granted(grant, origin, None, refresh=False)

    def _granted(self, grant: Grant, issuer: str, nonce: str | None, refresh: bool) -> dict[str, Any]:
        lifetime = self._state.settings.access_token_seconds
        access = tokens.sealed(_ACCESS, grant, self._state.clock() + lifetime)
        answer: dict[str, Any] = {
            "access_token": access,
            "expires_in": lifetime,
            "scope": grant.scope,
            "token_type": "Bearer",
        }
        if refresh:
            answer["refresh_token"] = tokens.sealed(_REFRESH, grant, 0)
        if issuer and "openid" in grant.scopes:
            token = tokens.id_token(
                self._state.keys,
                grant,
                issuer,
                nonce,
                access,
                self._state.settings.id_token,
                self._state.clock,
            )
            if token is not None:
                answer["id_token"] = token
        return answer

    def revoke(self, token: str) -> Reply:
        grant = tokens.opened(_ACCESS, token, self._state.clock()) or tokens.opened(
            _REFRESH, token, self._state.clock()
        )
        if grant is None or grant.id in self._state.revoked:
            body = {"error": "invalid_token", "error_description": "Token expired or revoked"}
            return json_reply(body, False, 400)
        self._state.revoked.add(grant.id)
        self._state.consented.discard((grant.user, grant.client_id))
        return json_reply({}, False)
