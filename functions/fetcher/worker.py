"""The fetcher as a program that pulls, for an address that YouTube does not refuse: `./emulators.sh worker`.

python functions/fetcher/worker.py [--subscription NAME]
"""

from __future__ import annotations

import argparse
import signal
import sys

from shared import startup
from shared.config import ConfigError
from shared.gcp.deliveries import Deliveries
from shared.gcp.firestore import BATCH_INTERVAL, Firestore
from shared.gcp.pubsub import Subscription, Topics
from shared.pipeline.fetcher import Fetcher
from shared.pipeline.worker import Worker
from shared.search.index.writer import SearchIndex
from shared.search.server import SearchServer
from shared.youtube.captions import Captions
from shared.youtube.egress.routing import Routing


def worker(subscription: str) -> Worker:
    """Raises ConfigError when a variable is wrong or there are no credentials."""
    config = startup.begin("ELASTICSEARCH_URL")
    db, topics = Firestore(config, batch_interval=BATCH_INTERVAL), Topics(config)
    routing = Routing(config, db, worker=True)
    index, captions = SearchIndex(SearchServer(config)), Captions(config)
    fetcher = Fetcher(db, topics, index, captions, routing, passages=config.by_meaning)
    deliveries = Deliveries("worker", topics, config)
    return Worker(config, Subscription(config, subscription), fetcher, routing, deliveries)


def main() -> int:
    parser = argparse.ArgumentParser(prog="worker", description="Fetches transcripts from this address.")
    parser.add_argument("--subscription", default="fetcher", metavar="NAME", help="of type pull")
    options = parser.parse_args()
    try:
        puller = worker(options.subscription)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: puller.stop())
    puller.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
