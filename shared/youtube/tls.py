"""The TLS context that all connections to YouTube share.

By default, requests lets each connection read all certificates again. That takes many times as long as the
rest of a handshake (tests/benchmarks/bench_connections.py). It matters where there are many connections:
through a rotating proxy, each video has its own.
"""

from __future__ import annotations

import ssl

import certifi
from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context


def make_context(certificates: str | None = None) -> ssl.SSLContext:
    """A context that many threads may use, and that nobody may change.

    ``certificates``: a PEM file with the certificates to trust; by default those of certifi, as in requests.
    """
    context = create_urllib3_context()
    context.load_verify_locations(certificates or certifi.where())
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    # urllib3 sets them again for each connection. OpenSSL then frees the old ones, which a connection of
    # another thread may be reading: https://github.com/python/cpython/issues/141012
    context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]
    return context
