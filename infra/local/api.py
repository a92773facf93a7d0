"""The command line as a client of the run: HTTP with a token of its own per user."""

from __future__ import annotations

from typing import Any

import requests

from infra.local.state_dir import StateDir
from shared.messages import is_id

#: Connect and read, in seconds.
_TIMEOUT = (5, 60)


class ApiError(RuntimeError):
    """The run refused or does not answer; the message is for a person."""


class Api:
    """Requests in the name of one local user. Tokens are kept in the state directory."""

    def __init__(self, origin: str, state: StateDir, user: str) -> None:
        if not is_id(user):
            raise ApiError(f"expected a user name of letters, digits, - and _, found {user!r}")
        self._origin = origin
        self._state = state
        self._user = user
        self._session = requests.Session()
        # What answers is on this machine: no proxy, no .netrc.
        self._session.trust_env = False

    def new_token(self) -> str:
        """Mints a token and keeps it.

        Raises:
            ApiError
        """
        answer = self._send(
            "POST",
            "/api/tokens",
            self._state.operator_token(),
            json={"user": self._user, "name": "command line"},
        )
        token = self._content(answer).get("token")
        if not isinstance(token, str):
            raise ApiError("POST /api/tokens: expected a token in the answer, found none")
        self._state.keep_secret(self._secret, token)
        return token

    def token(self) -> str:
        """The kept one, if it is still good; otherwise a new one."""
        kept = self._state.secret(self._secret)
        if kept and self._send("GET", "/api/me", kept).status_code == 200:
            return kept
        return self.new_token()

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The answer's JSON object. ``options`` are those of requests (json, params).

        Raises:
            ApiError: no answer, or one from 400.
        """
        token = self._state.secret(self._secret) or self.new_token()
        answer = self._send(method, path, token, **options)
        if answer.status_code == 401:
            answer = self._send(method, path, self.new_token(), **options)
        return self._content(answer)

    @property
    def _secret(self) -> str:
        return f"token-{self._user}"

    def _send(self, method: str, path: str, token: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return self._session.request(
                method, self._origin + path, headers=headers, timeout=_TIMEOUT, **options
            )
        except requests.RequestException as error:
            raise ApiError(f"{self._origin} does not answer ({type(error).__name__})") from error

    def _content(self, answer: requests.Response) -> dict[str, Any]:
        try:
            content = answer.json()
        except requests.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            raise ApiError(
                f"{answer.request.method} {answer.url}: expected a JSON object,"
                f" found {answer.status_code} {answer.text[:200]!r}"
            )
        if answer.status_code >= 400:
            raise ApiError(str(content.get("detail") or content.get("title") or answer.status_code))
        return content
