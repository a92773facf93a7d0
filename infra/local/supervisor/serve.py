"""Serves one function, as the program functions-framework does: ``python -P serve.py --target NAME ...``."""

from __future__ import annotations

import atexit
import os
import sys

#: Packages of the local run that no deployed function has. The client of Elasticsearch imports each of them
#: that it finds: 12 MB for each function, and a quarter of the processor time of its start.
_NOT_DEPLOYED = ("aiohttp", "httpx")


class _QuickEnd:
    """Ends the process without tidying up its memory, which the system frees anyway.

    Python would visit every object, in gunicorn's parent process and in its worker: a fifth of a second of
    processor time for each, and there are thirty of them. Threads have ended and all other functions of
    atexit have been called before, because the first that is registered is called last.
    """

    def __init__(self) -> None:
        self.code = 1
        atexit.register(self._end)

    def _end(self) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(self.code)


def main() -> None:
    end = _QuickEnd()
    for name in _NOT_DEPLOYED:
        sys.modules[name] = None  # type: ignore[assignment]

    from functions_framework._cli import _cli

    try:
        _cli(prog_name="functions-framework")
    except SystemExit as exit:
        # gunicorn ends in this way, and a worker of it as well. None stands for success.
        end.code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        raise


if __name__ == "__main__":
    main()
