"""`mcp`: the Model Context Protocol over standard input and output, for programs that start this one."""

from __future__ import annotations

from collections.abc import Callable

from infra.local.cli.api import Api, ApiError
from shared.config import Config
from shared.mcp import api
from shared.mcp.server import make_server


def serve(config: Config, local: Callable[[], Api]) -> None:
    """Serves until the input ends, and asks YTS_URL, or else the local run.

    Raises:
        ApiError: there is no token for the deployment, or the local run does not answer.
    """
    if config.yts_url is None:
        run = local()
        origin, token = run.origin, run.token()
    elif config.yts_token is None:
        raise ApiError("YTS_TOKEN: expected an API token of this deployment, found nothing. Make one there.")
    else:
        origin, token = config.yts_url, config.yts_token
    # Only origins of this machine have no certificate (see shared.config).
    served = api.Api(origin, proxies=origin.startswith("https://"))
    caller = api.Caller(served, f"Bearer {token}")
    make_server(lambda ctx: caller).run("stdio")
