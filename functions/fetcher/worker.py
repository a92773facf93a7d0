"""The fetcher as a program that pulls, for an address that YouTube lets in: `./emulators.sh worker`.

python functions/fetcher/worker.py [--subscription NAME]
"""

from __future__ import annotations

import argparse
import signal
import sys

from shared.config import ConfigError
from shared.worker import Worker


def main() -> int:
    parser = argparse.ArgumentParser(prog="worker", description="Fetches transcripts from this address.")
    parser.add_argument("--subscription", default="fetcher", metavar="NAME", help="of type pull")
    options = parser.parse_args()
    try:
        worker = Worker(options.subscription)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
