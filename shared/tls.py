"""Whom this process trusts over TLS: read once, for all of its connections.

Left alone, requests has each connection read all certificates again, which takes many times what the rest of
a handshake does (tests/benchmarks/bench_connections.py). It matters where connections are many: each video
by a rotating proxy has one of its own.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from threading import Lock

import certifi
from urllib3.util.ssl_ import ALPN_PROTOCOLS, create_urllib3_context

#: A fetcher's threads begin all at once.
_one_reads = Lock()


def trusting() -> ssl.SSLContext:
    """Trusts whom requests does: the certificates of certifi. Threads share it, so nobody may change it."""
    with _one_reads:
        return _context()


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(ALPN_PROTOCOLS)
    # urllib3 sets them anew for each connection. OpenSSL frees the old ones, while a connection that another
    # thread makes may be reading them: https://github.com/python/cpython/issues/141012
    context.set_alpn_protocols = lambda alpn_protocols: None  # type: ignore[method-assign]
    return context
