"""The requests session through which transcripts are fetched: timeouts, where YouTube is, and bytes.

youtube-transcript-api takes a ``requests.Session`` as its public seam (``http_client=``), and sets
no timeout itself.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter

#: Seconds to connect, and seconds without a byte.
TIMEOUT = (5.0, 10.0)
#: Seconds for a whole answer, however it trickles.
BUDGET = 20.0
#: Bytes of one answer: the largest real ones (watch pages) have 1.5 MB.
MAXIMUM_BYTES = 20_000_000
_YOUTUBE = "https://www.youtube.com"


class _Elsewhere(HTTPAdapter):
    """Sends what is meant for YouTube to another origin (a stand-in, a mirror)."""

    def __init__(self, base_url: str) -> None:
        super().__init__(pool_connections=1, pool_maxsize=2)
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if request.url is not None and request.url.startswith(_YOUTUBE):
            request.url = self._base_url + request.url.removeprefix(_YOUTUBE)
        return super().send(request, *args, **kwargs)


class Session(requests.Session):
    """One a thread. ``received`` counts the bytes of answers as they came over the wire, compressed."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.received = 0
        # The environment's proxies are not ours: which way a request leaves is decided here.
        self.trust_env = False
        if base_url != _YOUTUBE:
            self.mount(_YOUTUBE, _Elsewhere(base_url))

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises requests' own exceptions; ContentTooLong for an answer beyond all measure."""
        kwargs["timeout"] = TIMEOUT
        kwargs["stream"] = True
        response = super().send(request, **kwargs)
        content, deadline = bytearray(), monotonic() + BUDGET
        try:
            for chunk in response.iter_content(65536):
                content += chunk
                if len(content) > MAXIMUM_BYTES:
                    raise ContentTooLong(f"more than {MAXIMUM_BYTES:,} bytes", response=response)
                if monotonic() > deadline:
                    raise requests.ReadTimeout(f"not finished after {BUDGET:g} s", response=response)
        except requests.RequestException:
            response.close()
            raise
        finally:
            self.received += response.raw.tell()
        # requests would read it without a bound; the attribute is what its own `content` fills.
        response._content = bytes(content)
        return response


class ContentTooLong(requests.RequestException):
    """An answer is longer than anything YouTube sends."""
