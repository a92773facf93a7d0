"""The player's key: the only thing for which youtube-transcript-api reads the 1 MB watch page.

It is the same for every video (INNERTUBE_API_KEY). While it is known, the session answers the watch page
itself, which saves 85 % of the bytes and a third of the requests. A process keeps it, and shares it with
others through the document of its address (:mod:`shared.youtube.egress.breaker`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import requests

_PATTERN = re.compile(rb'"INNERTUBE_API_KEY":\s*"([A-Za-z0-9_-]+)"')


class PlayerKey:
    """The key that this process knows. Threads share it; a race costs one more watch page."""

    def __init__(self, youtube: str) -> None:
        #: The address of YouTube. The key of a fake YouTube must not be used at the real one.
        self._youtube = youtube
        self.value: str | None = None
        #: A key that was read from a page and is not shared with other processes yet.
        self._learned: str | None = None
        self._refused: str | None = None

    def learn(self, page: bytes) -> None:
        """Reads the key from a watch page."""
        found = _PATTERN.search(page)
        # A page that asks for consent may hold another key.
        if found and b"consent.youtube.com" not in page:
            self.value = self._learned = found[1].decode()

    def adopt(self, stored: Any) -> None:
        """Takes over the key that another process has shared, unless it was refused here."""
        if self.value is None and isinstance(stored, Mapping) and stored["of"] == self._youtube:
            self.value = stored["value"] if stored["value"] != self._refused else None

    def to_share(self) -> dict[str, str] | None:
        """The key that other processes do not know yet, for :meth:`shared`. None if they know it."""
        return None if self._learned is None else {"value": self._learned, "of": self._youtube}

    def shared(self, what: Mapping[str, str] | None) -> None:
        """Notes that other processes know this now."""
        if what is not None and what["value"] == self._learned:
            self._learned = None

    def refuse(self, key: str) -> None:
        """YouTube may have refused this key. A key that another thread has learned since then is kept."""
        self._refused = key
        if self.value == key:
            self.value = None
        if self._learned == key:
            self._learned = None


def page_with(key: str, url: str) -> requests.Response:
    """A watch page that holds nothing but the key."""
    response = requests.Response()
    response.status_code, response.url = 200, url
    response.encoding, response._content = "utf-8", f'{{"INNERTUBE_API_KEY": "{key}"}}'.encode()
    return response
