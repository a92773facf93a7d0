"""The processor time of a new connection to YouTube: ours, and that of a stock session of requests.

    python -m tests.benchmarks.bench_connections

Through a rotating proxy each attempt has a connection of its own. Each thread of a fetcher begins with one.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import certifi
import requests

from shared.youtube import tls
from shared.youtube.player_key import PlayerKey
from shared.youtube.session import Session
from tests import tls_server

_CONNECTIONS, _ROUNDS = 20, 5
_TRACK = "https://www.youtube.com/api/timedtext?v=x"


def _milliseconds(connect: Callable[[], object]) -> float:
    """Processor time of one connection. It includes the server's part, which is the same for both."""
    began = process_time()
    for _ in range(_CONNECTIONS):
        connect()
    return 1000 * (process_time() - began) / _CONNECTIONS


def main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        pem = tls_server.certificate(Path(directory, "server.pem"))
        # As many certificates as usual, and the server's.
        trusted = Path(directory, "trusted.pem")
        trusted.write_bytes(Path(certifi.where()).read_bytes() + pem.read_bytes())
        with (
            tls_server.serving(pem) as origin,
            Session(origin, PlayerKey(origin), tls_context=tls.make_context(str(trusted))) as session,
            requests.Session() as stock,
        ):
            stock.trust_env, stock.verify = False, str(trusted)

            def connect() -> None:
                session.begin()
                session.get(_TRACK).raise_for_status()
                # As a route through a rotating proxy does it. The next request makes a new connection.
                session.close()

            def connect_stock() -> None:
                stock.get(origin, timeout=10).raise_for_status()
                stock.close()

            connect()
            connect_stock()
            # In turn, because the speed of a processor changes within minutes.
            rounds = [(_milliseconds(connect), _milliseconds(connect_stock)) for _ in range(_ROUNDS)]
    ours, stock_session = (median(times) for times in zip(*rounds, strict=True))
    print("| a new connection over TLS | processor |")
    print("|---|---|")
    print(f"| ours | {ours:.1f} ms |")
    print(f"| a stock session of requests | {stock_session:.1f} ms |")
    print(f"| ratio | {ours / stock_session:.2f} |")


if __name__ == "__main__":
    main()
