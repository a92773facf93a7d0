"""``python -m infra.local.fake_youtube --port N [--host 127.0.0.1] [--proxy-port N] [--library DIR]``

SIGINT and SIGTERM stop the server.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path

from infra.local.fake_youtube.library.samples import TALKS
from infra.local.fake_youtube.listener import serve
from infra.local.fake_youtube.server import Server
from infra.local.fake_youtube.youtube import FakeYouTube


async def _run(host: str, port: int, proxy_port: int | None, library: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(Server(FakeYouTube(library)), host, port, proxy_port, stop)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m infra.local.fake_youtube",
        description="A fake YouTube and Google sign-in for local runs and tests.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 chooses a free port and prints it")
    parser.add_argument("--proxy-port", type=int, help="also start a forward proxy; 0 chooses a free port")
    parser.add_argument("--library", type=Path, default=TALKS, help="directory of sample talks")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.host, arguments.port, arguments.proxy_port, arguments.library))


if __name__ == "__main__":
    main()
