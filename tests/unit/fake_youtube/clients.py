"""The unmodified client libraries, which send their requests to a fake YouTube."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import requests
from googleapiclient.discovery import build
from requests.adapters import HTTPAdapter
from youtube_transcript_api import YouTubeTranscriptApi

from infra.local.fake_youtube.live_server import LiveServer

TIMEOUT_SECONDS = 20
#: Generated videos speak one of these.
LANGUAGES = ("en", "de", "es", "fr", "pt")


class _ToFakeYouTube(HTTPAdapter):
    """Replaces YouTube's address in each request."""

    def __init__(self, url: str, timeout: float) -> None:
        self._url, self._timeout = url, timeout
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://www.youtube.com", self._url, 1)
        kwargs["timeout"] = self._timeout
        return super().send(request, *args, **kwargs)


class Clients:
    """Client libraries for one test. :meth:`close` ends their connections."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self._stack = ExitStack()

    def close(self) -> None:
        self._stack.close()

    def session(self, proxy_user: str | None = None, timeout: float = TIMEOUT_SECONDS) -> requests.Session:
        """`proxy_user`: sends the requests through the forward proxy as this user. `timeout`: seconds."""
        session = self._stack.enter_context(requests.Session())
        session.trust_env = False
        session.mount("https://www.youtube.com", _ToFakeYouTube(self.server.url, timeout))
        if proxy_user is not None:
            proxy = self.server.proxy_url.replace("://", f"://{proxy_user}:secret@")
            session.proxies = {"http": proxy, "https": proxy}
        return session

    def transcripts(
        self, proxy_user: str | None = None, timeout: float = TIMEOUT_SECONDS
    ) -> YouTubeTranscriptApi:
        return YouTubeTranscriptApi(http_client=self.session(proxy_user, timeout))

    def data_api(self, key: str | None = "a-key", credentials: Any = None) -> Any:
        """A client of google-api-python-client."""
        return self._stack.enter_context(
            build(
                "youtube",
                "v3",
                developerKey=key,
                credentials=credentials,
                client_options={"api_endpoint": self.server.url},
                cache_discovery=False,
            )
        )
