"""``python -m infra.local.standin --port N [--host 127.0.0.1] [--proxy-port N]``

Ends with SIGINT or SIGTERM. README.md lists what is served, and the control API.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from infra.local.standin.listening import serve
from infra.local.standin.samples import LIBRARY
from infra.local.standin.server import StandIn


async def _run(host: str, port: int, proxy_port: int | None, library: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(StandIn(library), host, port, proxy_port, stop)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.standin", description="The stand-in YouTube."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0: any free one; it is printed")
    parser.add_argument("--proxy-port", type=int, help="a forward proxy that leads here; 0: any free port")
    parser.add_argument("--library", type=Path, default=LIBRARY, help="directory of sample talks")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.host, arguments.port, arguments.proxy_port, arguments.library))


if __name__ == "__main__":
    main()
