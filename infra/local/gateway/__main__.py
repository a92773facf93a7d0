"""``python -m infra.local.gateway``: the command line of the gateway. ``--help`` lists the options."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.local import arguments
from infra.local.arguments import UsageError
from infra.local.gateway import gateway
from infra.local.gateway.proxy import routes_of
from infra.pipeline import PipelineError, load_pipeline
from shared import logs
from shared.config import Config, ConfigError
from shared.page import security_headers


def main(argv: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.local.gateway", description=gateway.__doc__)
    arguments.add_shared(parser)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--frontend", type=Path, required=True, metavar="DIR")
    options = parser.parse_args(argv)
    try:
        config = Config.from_env(environment)
        pipeline = load_pipeline(config, options.pipeline)
        known = {function.name for function in pipeline.functions}
        urls = arguments.function_urls(options.functions, known)
        if not options.frontend.is_dir():
            raise UsageError(f"--frontend: expected a directory, found {str(options.frontend)!r}")
        headers = security_headers(gateway.HEADERS_FILE, config)
        routes, files = routes_of(pipeline, urls), (options.changes, options.loading)
        app = gateway.application(routes, options.frontend, headers, *files)
        asyncio.run(gateway.serve(app, options.port))
    except (ConfigError, PipelineError, UsageError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    logs.configure()
    sys.exit(main())
