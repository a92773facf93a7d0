"""``python -m infra.local.delivery``: the command line of the delivery. ``--help`` lists the options."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local import arguments
from infra.local.arguments import UsageError
from infra.local.delivery import delivery
from infra.pipeline import PipelineError, load_pipeline
from shared import logs
from shared.config import Config, ConfigError


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.delivery", description=delivery.__doc__)
    arguments.add_shared(parser)
    parser.add_argument("--port", type=int, help="answers GET /healthz; none by default")
    parser.add_argument(
        "--full", type=Path, metavar="FILE", help="while it exists, nothing is delivered that fetches more"
    )
    options = parser.parse_args(argv)
    try:
        config = Config.from_env(environment)
        pipeline = load_pipeline(config, options.pipeline)
        known = {subscription.name for subscription in pipeline.subscriptions}
        urls = arguments.function_urls(options.functions, known)
        pauses = delivery.Pauses(options.loading, options.full)
        asyncio.run(delivery.serve(config, pipeline, urls, options.port, options.changes, pauses))
    except (ConfigError, PipelineError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    logs.configure()
    sys.exit(main())
