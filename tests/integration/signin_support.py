"""A browser that signs in: the account function in this process, and the fake YouTube as sign-in server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from shared.config import Config
from tests.integration.http_functions import HttpFunctions

#: Two keys of GRANT_ENCRYPTION_KEYS.
KEYS = ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=")
#: A header of requests that come from a page of this site.
OURS = {"Sec-Fetch-Site": "same-origin"}
_SECONDS = 20


def with_sign_in(config: Config, url: str) -> Config:
    """The configuration with an authorization server at ``url``."""
    return replace(
        config,
        google_oauth_client_id="a-client-for-tests",
        google_oauth_client_secret="a-client-secret-for-tests",
        google_oauth_auth_uri=f"{url}/o/oauth2/v2/auth",
        google_oauth_token_uri=f"{url}/token",
        google_oauth_jwks_uri=f"{url}/oauth2/v3/certs",
        google_oauth_issuer=url,
        google_oauth_revoke_uri=f"{url}/revoke",
        grant_encryption_keys=(KEYS[0],),
    )


class Browser:
    """A cookie jar, and the steps of a browser on the way to Google and back."""

    def __init__(self, functions: HttpFunctions) -> None:
        self._functions = functions
        self.web = functions.client("account")

    @property
    def cookie(self) -> str | None:
        found = self.web.get_cookie("__session")
        return found.value if found else None

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.web.set_cookie("__session", value, httponly=True)

    def at(self, function: str) -> Any:
        """A client of another function with the cookie of this browser."""
        web = self._functions.client(function)
        if self.cookie:
            web.set_cookie("__session", self.cookie)
        return web

    def ask(self, next_path: str | None = None) -> str:
        """Presses "Sign in". The address at Google."""
        answer = self.web.get("/api/login", query_string={"next": next_path} if next_path else {})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    @staticmethod
    def allow(address: str, user: str = "demo") -> str:
        """The person agrees at Google. The address that Google sends the browser to."""
        answer = requests.get(f"{address}&login_hint={user}", allow_redirects=False, timeout=_SECONDS)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def back(self, address: str) -> str:
        """Comes back from Google. The address that this site sends the browser to."""
        parts = urlsplit(address)
        answer = self.web.get(parts.path, query_string=parts.query)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return str(answer.headers["Location"])

    def sign_in(self, user: str = "demo", next_path: str | None = None) -> str:
        """The whole sign-in. The address where it ends."""
        return self.back(self.allow(self.ask(next_path), user))

    def me(self) -> Any:
        return self.web.get("/api/me")


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
