"""The HTTP client of the command line."""

from __future__ import annotations

from typing import Any

import requests

from infra.local.state_dir import StateDir
from shared.messages import is_id


class ApiError(RuntimeError):
    """A request failed. The message is for a person.

    ``retry_after``: seconds after which it may succeed; None if it will not.
    """

    retry_after: float | None = None


class Api:
    """Sends requests as one local user. The user's API token is kept in the state directory.

    ``timeout``: for connecting and for reading, in seconds.
    """

    def __init__(
        self, origin: str, state: StateDir, user: str, timeout: tuple[float, float] = (5, 60)
    ) -> None:
        if not is_id(user):
            raise ApiError(f"expected a user name of letters, digits, - and _, found {user!r}")
        self.origin = origin
        self._state = state
        self._user = user
        self._timeout = timeout
        self._session = requests.Session()
        # The server is on this machine, so proxies and .netrc are ignored.
        self._session.trust_env = False

    def new_token(self) -> str:
        """Makes a token and keeps it.

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
        """The kept token if it is still valid, otherwise a new one."""
        kept = self._state.secret(self._secret)
        if kept and self._send("GET", "/api/me", kept).status_code == 200:
            return kept
        return self.new_token()

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Sends a request and returns the JSON object of the answer. ``options`` are those of requests.

        Raises:
            ApiError: there was no answer, or its status is 400 or above.
        """
        return self._content(self._ask(method, path, **options))

    def stream(self, path: str, **options: Any) -> requests.Response:
        """As :meth:`call`, for an answer that is read piece by piece and then closed."""
        answer = self._ask("GET", path, stream=True, **options)
        if answer.status_code >= 400:
            self._content(answer)
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        token = self._state.secret(self._secret) or self.new_token()
        answer = self._send(method, path, token, **options)
        if answer.status_code == 401:
            answer = self._send(method, path, self.new_token(), **options)
        return answer

    @property
    def _secret(self) -> str:
        return f"token-{self._user}"

    def _send(self, method: str, path: str, token: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            return self._session.request(
                method, self.origin + path, headers=headers, timeout=self._timeout, **options
            )
        except requests.RequestException as error:
            failure = ApiError(
                f"{self.origin} does not answer ({type(error).__name__})."
                " See ./emulators.sh status and ./emulators.sh logs gateway"
            )
            failure.retry_after = 1
            raise failure from error

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
            failure = ApiError(str(content.get("detail") or content.get("title") or answer.status_code))
            after = answer.headers.get("Retry-After", "")
            failure.retry_after = float(after) if after.isdecimal() else None
            raise failure
        return content
