"""Issues, refreshes and revokes tokens: the endpoints /token and /revoke."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Any

from infra.local.fake_youtube.fields import check_choice
from infra.local.fake_youtube.library.catalog import USERS
from infra.local.fake_youtube.oauth.id_tokens import make_id_token
from infra.local.fake_youtube.oauth.state import OAuthState
from infra.local.fake_youtube.oauth.tokens import Grant, base64url, read_token, sign_token
from infra.local.fake_youtube.replies import Reply, json_reply

#: Google's access and refresh tokens begin with these.
_ACCESS, _REFRESH = "ya29.", "1//"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class _TokenError(Exception):
    """An error of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error, self.status = error, status


class Grants:
    def __init__(self, state: OAuthState) -> None:
        self._state = state

    def holder(self, token: str) -> tuple[str, frozenset[str]] | None:
        """User and scopes of an access token. None if it is not valid."""
        grant = read_token(_ACCESS, token, self._state.clock())
        if grant is None or grant.id in self._state.revoked:
            return None
        return grant.user, frozenset(grant.scopes)

    def issue(self, user: str, scopes: tuple[str, ...], client_id: str) -> dict[str, Any]:
        """Access and refresh token for tests, without sign-in.

        Raises:
            ControlError: the user does not exist.
        """
        check_choice("user", user, sorted(USERS))
        grant = Grant(secrets.token_hex(8), user, client_id, scopes)
        return self._tokens(grant, "", None, with_refresh_token=True)

    def answer_token_request(self, form: Mapping[str, str], authorization: str, issuer: str) -> Reply:
        """POST /token. `authorization`: the header, or an empty string."""
        try:
            client_id = self._authenticate(form, authorization)
            match form.get("grant_type"):
                case "authorization_code":
                    answer = self._exchange_code(form, client_id, issuer)
                case "refresh_token":
                    answer = self._refresh(form, client_id, issuer)
                case other:
                    raise _TokenError("unsupported_grant_type", f"Invalid grant_type: {other}")
        except _TokenError as error:
            body = {"error": error.error, "error_description": str(error)}
            return json_reply(body, False, error.status, _NO_STORE)
        return json_reply(answer, False, 200, _NO_STORE)

    def _authenticate(self, form: Mapping[str, str], authorization: str) -> str:
        """The id of the client, which sends its secret in the form or by HTTP Basic authentication."""
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise _TokenError("invalid_client", "Unauthorized", 401) from error
        if not client_id:
            raise _TokenError("invalid_request", "Could not determine client ID from request.")
        clients = self._state.settings.clients
        if clients is not None and client_id not in clients:
            raise _TokenError("invalid_client", "The OAuth client was not found.", 401)
        if not secret or (clients is not None and not hmac.compare_digest(clients[client_id], secret)):
            raise _TokenError("invalid_client", "Unauthorized", 401)
        return client_id

    def _exchange_code(self, form: Mapping[str, str], client_id: str, issuer: str) -> dict[str, Any]:
        code = self._state.codes.pop(form.get("code", ""), None)
        if code is None or code.grant.client_id != client_id or code.expires <= self._state.clock():
            raise _TokenError("invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise _TokenError("redirect_uri_mismatch", "Bad Request")
        if code.challenge is not None:
            # PKCE (RFC 7636, section 4.6).
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if not hmac.compare_digest(base64url(digest), code.challenge):
                raise _TokenError("invalid_grant", "Invalid code verifier.")
        return self._tokens(code.grant, issuer, code.nonce, code.offline)

    def _refresh(self, form: Mapping[str, str], client_id: str, issuer: str) -> dict[str, Any]:
        grant = read_token(_REFRESH, form.get("refresh_token", ""), self._state.clock())
        if (
            grant is None
            or grant.client_id != client_id
            or grant.id in self._state.revoked
            or self._state.settings.dead_grant
        ):
            raise _TokenError("invalid_grant", "Token has been expired or revoked.")
        return self._tokens(grant, issuer, None, with_refresh_token=False)

    def _tokens(
        self, grant: Grant, issuer: str, nonce: str | None, with_refresh_token: bool
    ) -> dict[str, Any]:
        """The successful answer of the token endpoint. `issuer`: empty for none, then without ID token."""
        lifetime = self._state.settings.access_token_seconds
        access = sign_token(_ACCESS, grant, self._state.clock() + lifetime)
        answer: dict[str, Any] = {
            "access_token": access,
            "expires_in": lifetime,
            "scope": grant.scope,
            "token_type": "Bearer",
        }
        if with_refresh_token:
            answer["refresh_token"] = sign_token(_REFRESH, grant, 0)
        if issuer and "openid" in grant.scopes:
            token = make_id_token(
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
        """POST /revoke. `token`: an access or refresh token; its grant ends, and with it both tokens."""
        now = self._state.clock()
        grant = read_token(_ACCESS, token, now) or read_token(_REFRESH, token, now)
        if grant is None or grant.id in self._state.revoked:
            body = {"error": "invalid_token", "error_description": "Token expired or revoked"}
            return json_reply(body, False, 400)
        self._state.revoked.add(grant.id)
        self._state.consented.discard((grant.user, grant.client_id))
        return json_reply({}, False)
