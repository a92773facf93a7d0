"""A browser that signs in: the account function in this process, and the stand-in's authorization server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from infra.local.standin.inprocess import InProcess
from shared import config, google
from tests.unit.functions import client

#: Two keys of GRANT_ENCRYPTION_KEYS.
KEYS = ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=")
#: What a page of this site sends along.
OURS = {"Sec-Fetch-Site": "same-origin"}
_SECONDS = 20


@contextmanager
def signing_in(standin: InProcess, **variables: str) -> Iterator[None]:
    """This process's configuration asks the stand-in's authorization server."""
    known = {
        "GOOGLE_OAUTH_CLIENT_ID": "a-client-for-tests",
        "GOOGLE_OAUTH_CLIENT_SECRET": "a-client-secret-for-tests",
        "GOOGLE_OAUTH_AUTH_URI": f"{standin.url}/o/oauth2/v2/auth",
        "GOOGLE_OAUTH_TOKEN_URI": f"{standin.url}/token",
        "GOOGLE_OAUTH_JWKS_URI": f"{standin.url}/oauth2/v3/certs",
        "GOOGLE_OAUTH_ISSUER": standin.url,
        "GOOGLE_OAUTH_REVOKE_URI": f"{standin.url}/revoke",
        "GRANT_ENCRYPTION_KEYS": KEYS[0],
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (known | variables).items():
            patch.setenv(name, value)
        patch.setattr(google, "_keys", google._Keys())
        config.load.cache_clear()
        yield
    config.load.cache_clear()


class Browser:
    """A cookie jar, and what a browser does on the way to Google and back."""

    def __init__(self) -> None:
        self.web = client("account")

    @property
    def cookie(self) -> str | None:
        found = self.web.get_cookie("__session")
        return found.value if found else None

    @cookie.setter
    def cookie(self, value: str) -> None:
        self.web.set_cookie("__session", value, httponly=True)

    def at(self, function: str) -> Any:
        """This browser's pages asking another function."""
        web = client(function)
        if self.cookie:
            web.set_cookie("__session", self.cookie)
        return web

    def ask(self, next_path: str | None = None) -> str:
        """Presses "Sign in"; the address at Google."""
        answer = self.web.get("/api/login", query_string={"next": next_path} if next_path else {})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["Location"])

    @staticmethod
    def allow(address: str, user: str = "demo") -> str:
        """The person agrees at Google; the address that Google sends the browser to."""
        answer = requests.get(f"{address}&login_hint={user}", allow_redirects=False, timeout=_SECONDS)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def back(self, address: str) -> str:
        """Comes back from Google; where it is sent then."""
        parts = urlsplit(address)
        answer = self.web.get(parts.path, query_string=parts.query)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        return str(answer.headers["Location"])

    def sign_in(self, user: str = "demo", next_path: str | None = None) -> str:
        """The whole of it; where it ends."""
        return self.back(self.allow(self.ask(next_path), user))

    def me(self) -> Any:
        return self.web.get("/api/me")


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
