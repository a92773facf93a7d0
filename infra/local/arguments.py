"""Command-line arguments that the delivery and the gateway share."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable
from pathlib import Path

from infra.pipeline import PIPELINE_FILE


class UsageError(ValueError):
    """An argument or a variable is missing or wrong. The message names it."""


def add_shared(parser: argparse.ArgumentParser) -> None:
    """Adds --function, --pipeline, --changes and --loading."""
    parser.add_argument("--function", action="append", default=[], metavar="NAME=URL", dest="functions")
    parser.add_argument("--pipeline", type=Path, default=PIPELINE_FILE, metavar="FILE")
    parser.add_argument(
        "--changes", type=Path, metavar="FILE", help="touched after requests that may have changed something"
    )
    parser.add_argument(
        "--loading", type=Path, metavar="FILE", help="while it exists, nothing is handed to the functions"
    )


def function_urls(arguments: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Parses ``NAME=URL`` arguments.

    Raises:
        UsageError: an argument has another form, or its NAME is not in ``known``.
    """
    urls: dict[str, str] = {}
    for argument in arguments:
        name, _, url = argument.partition("=")
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"--function: expected NAME=URL, found {argument!r}")
        if name not in known:
            raise UsageError(f"--function: expected one of {', '.join(sorted(known))}, found {name!r}")
        urls[name] = url
    return urls
