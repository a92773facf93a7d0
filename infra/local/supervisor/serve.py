"""Serves one function, as the program functions-framework does: ``python -P serve.py --target NAME ...``."""

from __future__ import annotations

import sys

#: Packages of the local run that no deployed function has. The client of Elasticsearch imports each of them
#: that it finds: 12 MB for each function, and a quarter of the processor time of its start.
_NOT_DEPLOYED = ("aiohttp", "httpx")


def main() -> None:
    for name in _NOT_DEPLOYED:
        sys.modules[name] = None  # type: ignore[assignment]

    from functions_framework._cli import _cli

    _cli(prog_name="functions-framework")


if __name__ == "__main__":
    main()
