"""Arguments that the programs of a local run share."""

from __future__ import annotations

from collections.abc import Collection, Iterable


class UsageError(ValueError):
    """The command line or the environment is not enough; the message says what is missing or wrong."""


def function_urls(arguments: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """``NAME=URL`` each, as a mapping.

    Raises:
        UsageError: not of that form, or not one of the ``known`` functions.
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
