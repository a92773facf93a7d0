"""The requests session through which transcripts are fetched: timeouts, where YouTube is, and bytes.

youtube-transcript-api takes a ``requests.Session`` as its public seam (``http_client=``), and sets
no timeout itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from shared import tls
from shared.partial_answers import PartialAnswers

#: Seconds to connect, and seconds without a byte.
TIMEOUT = (5.0, 10.0)
#: Seconds for all requests of one video, however their answers trickle. With one more silence of TIMEOUT it
#: is less than store.CLAIM, so nobody else asks for the video meanwhile, unless Firestore takes seconds to
#: take the claim: a claim counts from before it is sent.
BUDGET = 18.0
#: Bytes of one answer: the largest real ones (watch pages) have 1.5 MB.
MAXIMUM_BYTES = 20_000_000
_YOUTUBE = "https://www.youtube.com"


class _Adapter(HTTPAdapter):
    """Connections share what they trust. What is meant for YouTube goes to ``base_url``."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        super().__init__(pool_connections=2, pool_maxsize=2)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=tls.trusting())

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(
            proxy, **kwargs, ssl_context=tls.trusting(), proxy_ssl_context=tls.trusting()
        )

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Where requests has a connection read the certificates."""
        if verify is not True or cert:
            raise ValueError("expected the certificates that all connections share, found others")

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if request.url is not None and request.url.startswith(_YOUTUBE):
            request.url = self._base_url + request.url.removeprefix(_YOUTUBE)
        return super().send(request, *args, **kwargs)


class PlayerKey:
    """The INNERTUBE_API_KEY, the same for every video: the only thing the 1 MB watch page is read for.

    Kept for the process, and by :mod:`shared.breaker` in Firestore for the next one. While it is known, the
    watch page is answered here and not asked for: that is 85 % of the bytes and a third of the requests.
    """

    _PATTERN = re.compile(rb'"INNERTUBE_API_KEY":\s*"([A-Za-z0-9_-]+)"')

    def __init__(self) -> None:
        self.value: str | None = None
        #: From a page, and not yet told the other processes.
        self.learned: str | None = None
        self._refused: str | None = None

    def learn(self, page: bytes) -> None:
        found = self._PATTERN.search(page)
        # A page that asks for consent is not the one to learn from.
        if found and b"consent.youtube.com" not in page:
            self.value = self.learned = found[1].decode()

    def adopt(self, stored: Any, youtube: str) -> None:
        """What another process has learned of the same ``youtube``, unless that has refused it here.

        ``stored``: ``{"value", "of"}``, or anything else for nothing.
        """
        if self.value is None and isinstance(stored, Mapping) and stored["of"] == youtube:
            self.value = stored["value"] if stored["value"] != self._refused else None

    def told(self, learned: str | None) -> None:
        """The other processes know it now."""
        if self.learned == learned:
            self.learned = None

    def refuse(self, key: str) -> None:
        """YouTube may have refused ``key``. What another thread has learned since then is kept."""
        self._refused = key
        if self.value == key:
            self.value = None
        if self.learned == key:
            self.learned = None

    def forget(self) -> None:
        """As a new process."""
        self.value = self.learned = self._refused = None


def _page_with(key: str, url: str) -> requests.Response:
    """A watch page with nothing but the key."""
    response = requests.Response()
    response.status_code, response.url = 200, url
    response.encoding, response._content = "utf-8", f'{{"INNERTUBE_API_KEY": "{key}"}}'.encode()
    return response


def _asks(method: str | None, url: str | None, wanted: str, path: str) -> bool:
    """Whether a request, before it is sent elsewhere, is for this path of YouTube's."""
    return method == wanted and (url or "").startswith(f"{_YOUTUBE}{path}?")


#: Threads share it; a race only means one watch page more.
player_key = PlayerKey()


class Way(Protocol):
    """The way that requests leave by (see shared.routes)."""

    @property
    def proxies(self) -> Mapping[str, str] | None: ...

    @property
    def rotating(self) -> bool:
        """Each connection leaves from another address."""

    def sending(self) -> bool:
        """Counts a request; False if it would be wasted, because the address is blocked."""


class Session(requests.Session):
    """One a thread. ``received`` counts the bytes of answers as they came over the wire, compressed.

    ``shortened``: the key with which a watch page was answered here. Both since :meth:`begin`.
    ``way``: by which requests leave (:meth:`leaving`); None for the direct one, without counting.
    ``partial_answers``: None to ask for whole answers only.
    """

    def __init__(self, base_url: str, partial_answers: PartialAnswers | None = None) -> None:
        super().__init__()
        self._partial_answers = partial_answers
        self.received = 0
        self.shortened: str | None = None
        self.way: Way | None = None
        self._deadline = 0.0
        # The environment's proxies are not ours: which way a request leaves is decided here.
        self.trust_env = False
        self.mount("https://", _Adapter(base_url))

    def begin(self) -> None:
        """Before the first request of a video: what it may take is counted from here."""
        self.received, self.shortened = 0, None
        self._deadline = monotonic() + BUDGET

    @contextmanager
    def leaving(self, way: Way) -> Iterator[None]:
        """Meanwhile requests leave by ``way``: those of one attempt at one video.

        If it rotates they share a connection, and so an address: each more would be another handshake, whose
        bytes are paid for. The next attempt leaves from elsewhere.
        """
        self.way = way
        try:
            yield
        finally:
            self.way = None
            if way.rotating:
                self.close()  # its connections; it makes new ones

    def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As :meth:`send`. With a key the watch page is not asked for; a player's answer may be partial."""
        key = player_key.value
        if key is not None and _asks(method, url, "GET", "/watch"):
            self.shortened = key
            return _page_with(key, url)
        request = super().request
        if self._partial_answers is not None and _asks(method, url, "POST", "/youtubei/v1/player"):
            return self._partial_answers.ask(lambda added: request(method, url + added, *args, **kwargs))
        return request(method, url, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Raises requests' own exceptions; ContentTooLong for an answer beyond all measure; AddressClosed."""
        watching = _asks(request.method, request.url, "GET", "/watch")
        left = self._deadline - monotonic()
        if left <= 0:
            raise requests.ReadTimeout(f"not begun after {BUDGET:g} s", request=request)
        if self.way is not None:
            if not self.way.sending():
                raise AddressClosed("not sent: the address is blocked", request=request)
            kwargs["proxies"] = dict(self.way.proxies or {})
        kwargs["timeout"] = (min(TIMEOUT[0], left), min(TIMEOUT[1], left))
        kwargs["stream"] = True
        response = super().send(request, **kwargs)
        content = bytearray()
        try:
            for chunk in response.iter_content(65536):
                content += chunk
                if len(content) > MAXIMUM_BYTES:
                    raise ContentTooLong(f"more than {MAXIMUM_BYTES:,} bytes", response=response)
                if monotonic() > self._deadline:
                    raise requests.ReadTimeout(f"not finished after {BUDGET:g} s", response=response)
        except requests.RequestException:
            response.close()
            raise
        finally:
            self.received += response.raw.tell()
        # requests would read it without a bound; the attribute is what its own `content` fills.
        response._content = bytes(content)
        if watching and response.ok:
            player_key.learn(response._content)
        return response


class ContentTooLong(requests.RequestException):
    """An answer is longer than anything YouTube sends."""


class AddressClosed(requests.RequestException):
    """Not sent: another video's answer has shown meanwhile that the address is blocked."""
