"""The HTTP session through which captions are fetched: timeouts, limits, bytes, and YouTube's address.

youtube-transcript-api takes a ``requests.Session`` as its public seam (``http_client=``). It sets no
timeout itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from shared.youtube import tls
from shared.youtube.partial_answers import PartialAnswers
from shared.youtube.player_key import PlayerKey, page_with

#: Seconds to connect, and seconds without a byte.
TIMEOUT = (5.0, 10.0)
#: Seconds for all requests of one attempt, from the first one on, however slowly the answers come. With one
#: more silence of TIMEOUT this is less than the claim of a video (shared.transcripts.store.CLAIM), so that
#: nobody else asks for it.
BUDGET = 18.0
#: Bytes of one answer. The largest real ones, watch pages, have 1.5 MB.
MAXIMUM_BYTES = 20_000_000
_YOUTUBE = "https://www.youtube.com"


class ContentTooLong(requests.RequestException):
    """The answer is longer than anything that YouTube sends."""


class Session(requests.Session):
    """Asks YouTube by one route. One thread uses it at a time.

    Args:
        base_url: where YouTube answers.
        proxies: the proxies of the route, as requests takes them; None for the direct route.
        partial_answers: None to ask for whole answers only.
        tls_context: the context that all sessions of a process share; None for one of its own.
        timeout: see TIMEOUT.
        budget: see BUDGET.
        maximum_bytes: see MAXIMUM_BYTES.
    """

    def __init__(
        self,
        base_url: str,
        player_key: PlayerKey,
        *,
        proxies: Mapping[str, str] | None = None,
        partial_answers: PartialAnswers | None = None,
        tls_context: ssl.SSLContext | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        budget: float = BUDGET,
        maximum_bytes: int = MAXIMUM_BYTES,
    ) -> None:
        super().__init__()
        self._timeout = timeout
        self._budget = budget
        self._maximum_bytes = maximum_bytes
        self._player_key = player_key
        self._partial_answers = partial_answers
        #: When the attempt has to end. None from :meth:`begin` to its first request.
        self._deadline: float | None = 0.0
        self._before_request: Callable[[], None] = lambda: None
        #: Whether the request that is sent next repeats one that YouTube has perhaps refused.
        self.repeats_refused = False
        #: Whether a request of this session was ever answered.
        self.reached = False
        #: Bytes received since :meth:`begin`, as they came over the wire, compressed.
        self.received = 0
        #: The key with which this session has answered a watch page since :meth:`begin`.
        self._used_key: str | None = None
        #: The player's last answer since :meth:`begin`; None before it, or if it is no JSON.
        self.player_answer: Any = None
        # Proxies of the environment are ignored: the route decides.
        self.trust_env = False
        self.proxies = dict(proxies or {})
        self.mount("https://", _Adapter(base_url, tls_context or tls.make_context()))

    def begin(self, before_request: Callable[[], None] = lambda: None) -> None:
        """Begins an attempt: its bytes count from here, its time from the first request.

        Between the two, a worker reads the video again and claims it, which the database may take long for.

        ``before_request`` is called before each request, and may raise to keep it from being sent.
        """
        self.received, self._used_key, self.player_answer, self._deadline = 0, None, None, None
        self.repeats_refused = False
        self._before_request = before_request

    def give_up_key(self) -> bool:
        """Gives up the known player key, which YouTube may have refused. False if none was used."""
        if self._used_key is None:
            return False
        self._player_key.refuse(self._used_key)
        return True

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As :meth:`send`. A known key answers the watch page. The answer of the player is partial."""
        key = self._player_key.value
        if key is not None and _asks(method, url, "GET", "/watch"):
            self._used_key = key
            return page_with(key, url)
        request = super().request
        if not _asks(method, url, "POST", "/youtubei/v1/player"):
            return request(method, url, *args, **kwargs)
        self.player_answer = None
        if self._partial_answers is None:
            response = request(method, url, *args, **kwargs)
        else:

            def send(added: str, repeats_refused: bool) -> requests.Response:
                self.repeats_refused = repeats_refused
                return request(method, url + added, *args, **kwargs)

            response = self._partial_answers.ask(send)
        if response.ok:
            with suppress(ValueError):
                self.player_answer = response.json()
        return response

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises the exceptions of requests, ContentTooLong, and those of ``before_request``."""
        is_watch_page = _asks(request.method, request.url, "GET", "/watch")
        if self._deadline is None:
            self._deadline = monotonic() + self._budget
        left = self._deadline - monotonic()
        if left <= 0:
            raise requests.ReadTimeout(f"not sent after {self._budget:g} s", request=request)
        self._before_request()
        self.repeats_refused = False
        kwargs["timeout"] = (min(self._timeout[0], left), min(self._timeout[1], left))
        kwargs["stream"] = True
        response = super().send(request, **kwargs)
        self.reached = True
        content = bytearray()
        try:
            for chunk in response.iter_content(65536):
                content += chunk
                if len(content) > self._maximum_bytes:
                    raise ContentTooLong(f"more than {self._maximum_bytes:,} bytes", response=response)
                if monotonic() > self._deadline:
                    raise requests.ReadTimeout(f"not finished after {self._budget:g} s", response=response)
        except requests.RequestException:
            response.close()
            raise
        finally:
            self.received += response.raw.tell()
        # requests itself would read the content without a limit, and keep it in this attribute.
        response._content = bytes(content)
        if is_watch_page and response.ok:
            self._player_key.learn(response._content)
        return response


class _Adapter(HTTPAdapter):
    """Sends requests for YouTube to ``base_url``. All connections share one TLS context."""

    def __init__(self, base_url: str, tls_context: ssl.SSLContext) -> None:
        self._base_url = base_url
        self._tls_context = tls_context
        super().__init__(pool_connections=2, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._tls_context)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        context = self._tls_context
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=context, proxy_ssl_context=context)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """requests would read the certificates for each connection here."""
        if verify is not True or cert:
            raise ValueError("expected the certificates that all connections share, found others")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if request.url is not None and request.url.startswith(_YOUTUBE):
            request.url = self._base_url + request.url.removeprefix(_YOUTUBE)
        return super().send(request, *args, **kwargs)


def _asks(method: str | None, url: str | None, wanted: str, path: str) -> bool:
    """Whether a request is for this path of YouTube's."""
    return method == wanted and (url or "").startswith(f"{_YOUTUBE}{path}?")
