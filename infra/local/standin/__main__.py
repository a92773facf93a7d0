"""``python -m infra.local.standin --port N [--host 127.0.0.1]``; ends with SIGINT or SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal

from infra.local.standin.server import StandIn, serve


async def _run(host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(StandIn(), host, port, stop)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.local.standin", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0: any free one; it is printed")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.host, arguments.port))


if __name__ == "__main__":
    main()
