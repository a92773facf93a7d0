"""What a new connection to YouTube takes of the processor, against the stock session's, in turn.

    python -m tests.benchmarks.bench_connections

A rotating proxy means a new connection for each video, and a fetcher's threads each begin with one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from unittest import mock

import certifi
import requests

from shared.egress import Session
from tests import tls_server

_CONNECTIONS, _ROUNDS = 20, 5
_TRACK = "https://www.youtube.com/api/timedtext?v=x"


class _Rotating:
    proxies = None
    rotating = True

    def sending(self) -> bool:
        return True


def _milliseconds(connect: Callable[[], object]) -> float:
    """Of the processor, for one connection. The server's part is in it: the same for both."""
    began = process_time()
    for _ in range(_CONNECTIONS):
        connect()
    return 1000 * (process_time() - began) / _CONNECTIONS


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        pem = tls_server.certificate(Path(directory, "server.pem"))
        everybody = Path(directory, "everybody.pem")
        everybody.write_bytes(Path(certifi.where()).read_bytes() + pem.read_bytes())
        with (
            tls_server.serving(pem) as origin,
            mock.patch("certifi.where", return_value=str(everybody)),
            Session(origin) as session,
            requests.Session() as stock,
        ):
            stock.trust_env, stock.verify = False, str(everybody)

            def ours() -> None:
                with session.leaving(_Rotating()):
                    session.begin()
                    session.get(_TRACK).raise_for_status()

            def theirs() -> None:
                stock.get(origin).raise_for_status()
                stock.close()  # its connections; it goes on with new ones

            ours()
            theirs()
            turns = [(_milliseconds(ours), _milliseconds(theirs)) for _ in range(_ROUNDS)]
    mine, library = (median(times) for times in zip(*turns, strict=True))
    print("| a new connection over TLS | processor |")
    print("|---|---|")
    print(f"| ours | {mine:.1f} ms |")
    print(f"| a stock session of requests | {library:.1f} ms |")
    print(f"| ours against that | {mine / library:.2f} |")


if __name__ == "__main__":
    main()
