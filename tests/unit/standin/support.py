"""The unmodified client libraries, pointed at a stand-in."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import requests
from googleapiclient.discovery import build
from requests.adapters import HTTPAdapter
from youtube_transcript_api import YouTubeTranscriptApi

from infra.local.standin.inprocess import InProcess

TIMEOUT_SECONDS = 20


class _ToStandIn(HTTPAdapter):
    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://www.youtube.com", self._url, 1)
        kwargs["timeout"] = self._timeout
        return super().send(request, *args, **kwargs)


class Clients:
    """Client libraries of one test; closed at its end."""

    def __init__(self, standin: InProcess) -> None:
        self.standin = standin
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    def session(self, proxy_user: str | None = None, timeout: float = TIMEOUT_SECONDS) -> requests.Session:
        """Sends what goes to YouTube to the stand-in instead, through its proxy if there is a user."""
        made = self._stack.enter_context(requests.Session())
        made.trust_env = False
        made.mount("https://www.youtube.com", _ToStandIn(self.standin.url, timeout))
        if proxy_user is not None:
            proxy = self.standin.proxy_url.replace("://", f"://{proxy_user}:secret@")
            made.proxies = {"http": proxy, "https": proxy}
        return made

    def transcripts(
        self, proxy_user: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> YouTubeTranscriptApi:
        return YouTubeTranscriptApi(http_client=self.session(proxy_user, timeout))

    def data_api(self, key: str | None = "a-key", credentials: Any = None) -> Any:
        return self._stack.enter_context(
            build(
                "youtube",
                "v3",
                developerKey=key,
                credentials=credentials,
                client_options={"api_endpoint": self.standin.url},
                cache_discovery=False,
            )
        )
