"""The authorization server of Google sign-in.

https://developers.google.com/identity/protocols/oauth2/web-server and
https://developers.google.com/identity/openid-connect/openid-connect
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode, urlsplit

from infra.local.fake_youtube.endpoints import OAUTH_PATHS
from infra.local.fake_youtube.library.catalog import USERS
from infra.local.fake_youtube.oauth.grants import Grants
from infra.local.fake_youtube.oauth.people import email, find_user, profile
from infra.local.fake_youtube.oauth.state import AuthorizationCode, OAuthState
from infra.local.fake_youtube.oauth.tokens import Grant
from infra.local.fake_youtube.replies import Reply, html_reply, json_reply
from infra.local.fake_youtube.templates import template

_CODE_SECONDS = 600
#: A client may ask for the short name of a scope; Google answers with the long one.
_LONG_NAMES = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


class AuthorizationServer:
    def __init__(self) -> None:
        self.state = OAuthState()
        self.grants = Grants(self.state)

    def answer(
        self, method: str, path: str, query: Mapping[str, str], form: Mapping[str, str],
        authorization: str, origin: str,
    ) -> Reply:  # fmt: skip
        """`path`: one of OAUTH_PATHS. `origin`: ``http://HOST:PORT`` of this server, also the issuer."""
        match OAUTH_PATHS[path], method:
            case "auth", "GET":
                return self._authorize(query)
            case "auth", "POST":
                return self._decide(form, form.get("choice", ""))
            case "token", "POST":
                return self.grants.answer_token_request(form, authorization, origin)
            case "certs", "GET":
                headers = {"Cache-Control": "public, max-age=20000, must-revalidate"}
                return json_reply(self.state.keys.as_jwks(), False, 200, headers)
            case "revoke", "POST":
                return self.grants.revoke(form.get("token") or query.get("token", ""))
            case "userinfo", "GET" | "POST":
                return self._userinfo(authorization, origin)
            case "discovery", "GET":
                return json_reply(_discovery(origin), False)
        return json_reply({"error": "invalid_request"}, False, 405)

    def _authorize(self, query: Mapping[str, str]) -> Reply:
        """Signs the person in, or shows a page on which to choose an account."""
        if (problem := self._error_page(query)) is not None:
            return problem
        user = find_user(query.get("login_hint", ""))
        if self.state.settings.deny:
            return self._decide(query, "deny")
        if user is not None and self.state.settings.auto_approve and query.get("prompt") != "select_account":
            return self._decide(query, user)
        if query.get("prompt") == "none":
            return self._redirect(query, {"error": "interaction_required"})
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">\n'
            for name, value in query.items()
        )
        accounts = "".join(
            f'<button name="choice" value="{user}">{escape(channel.title)} · {email(user)}</button>\n'
            for user, channel in USERS.items()
        )
        return html_reply(
            template("choose_account.html").substitute(
                client=escape(query["client_id"]),
                scope=escape(query["scope"]),
                hidden=hidden,
                accounts=accounts,
            )
        )

    def _error_page(self, query: Mapping[str, str]) -> Reply | None:
        """A page for the person if the request is wrong, since it must not be trusted to redirect to a
        client. None if the request is right."""
        redirect_uri = query.get("redirect_uri", "")
        clients = self.state.settings.clients
        if not query.get("client_id"):
            return _blocked("invalid_request", "Missing required parameter: client_id")
        if clients is not None and query["client_id"] not in clients:
            return _blocked("invalid_client", "The OAuth client was not found.")
        if urlsplit(redirect_uri).scheme not in ("http", "https") or not urlsplit(redirect_uri).netloc:
            return _blocked("redirect_uri_mismatch", f"redirect_uri={redirect_uri}")
        if query.get("response_type") != "code":
            return _blocked(
                "unsupported_response_type",
                f"expected response_type=code, found {query.get('response_type')}",
            )
        if not query.get("scope"):
            return _blocked("invalid_request", "Missing required parameter: scope")
        if query.get("code_challenge") and query.get("code_challenge_method") != "S256":
            return _blocked("invalid_request", "expected code_challenge_method=S256")
        return None

    def _decide(self, query: Mapping[str, str], choice: str) -> Reply:
        """`choice`: a user, who consents; any other text means refusal."""
        if (problem := self._error_page(query)) is not None:
            return problem
        if choice not in USERS:
            return self._redirect(query, {"error": "access_denied"})
        requested = tuple(dict.fromkeys(query["scope"].split()))
        unticked = self.state.settings.without_scopes
        granted = tuple(_LONG_NAMES.get(scope, scope) for scope in requested if scope not in unticked)
        client_id = query["client_id"]
        first = (choice, client_id) not in self.state.consented
        self.state.consented.add((choice, client_id))
        code = "4/0" + secrets.token_urlsafe(48)
        self.state.codes[code] = AuthorizationCode(
            grant=Grant(secrets.token_hex(8), choice, client_id, granted),
            redirect_uri=query["redirect_uri"],
            nonce=query.get("nonce"),
            challenge=query.get("code_challenge"),
            offline=query.get("access_type") == "offline" and (first or "consent" in query.get("prompt", "")),
            expires=self.state.clock() + _CODE_SECONDS,
        )
        return self._redirect(query, {"code": code, "scope": " ".join(granted), "authuser": "0"})

    def _redirect(self, query: Mapping[str, str], values: dict[str, str]) -> Reply:
        """Sends the browser back to the client with these values in the query."""
        if "state" in query:
            state = "another-state" if self.state.settings.wrong_state else query["state"]
            values = {"state": state, **values}
        separator = "&" if urlsplit(query["redirect_uri"]).query else "?"
        location = f"{query['redirect_uri']}{separator}{urlencode(values)}"
        return Reply(302, "text/html", b"", None, {"Location": location, "Cache-Control": "no-store"})

    def _userinfo(self, authorization: str, origin: str) -> Reply:
        holder = self.grants.holder(authorization.partition(" ")[2])
        if holder is None:
            body = {"error": "invalid_request", "error_description": "Invalid Credentials"}
            return json_reply(body, False, 401)
        user, scopes = holder
        return json_reply(profile(user, tuple(scopes), origin), False)


def _blocked(error: str, detail: str) -> Reply:
    text = template("oauth_error.html").substitute(error=escape(error), detail=escape(detail))
    return html_reply(text, 400)


def _discovery(origin: str) -> dict[str, Any]:
    """The metadata of OpenID Connect Discovery 1.0, section 3, with Google's values."""
    return {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/o/oauth2/v2/auth",
        "token_endpoint": f"{origin}/token",
        "userinfo_endpoint": f"{origin}/oauth2/v3/userinfo",
        "revocation_endpoint": f"{origin}/revoke",
        "jwks_uri": f"{origin}/oauth2/v3/certs",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "email", "email_verified", "exp", "iat", "iss", "name", "picture", "sub"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
    }
