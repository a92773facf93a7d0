"""Failpoints: named boundaries at which a test can kill this process, once, as ``kill -9`` would.

There is a boundary before and after each write, publish and acknowledgement. Failpoints are off unless
FAILPOINTS_DIR is set and emulators are used, so never in the cloud.

A test arms a boundary of a running function by making the file ``FAILPOINTS_DIR/FUNCTION/NAME``. The
first thread that reaches the boundary removes the file and kills the process. While a file named
``record`` exists there, the name of each boundary that is reached is appended to it. So tests find out
which boundaries exist.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from shared.config import Config

#: The file that reached names are appended to.
RECORD = "record"


class Failpoints:
    """The failpoints of one process. ``directory``: where they are armed; None turns them off."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory

    @classmethod
    def from_config(cls, config: Config) -> Failpoints:
        if config.failpoints_dir is None or not config.local or config.pubsub_emulator_host is None:
            return cls()
        return cls(config.failpoints_dir / (config.k_service or "none"))

    @contextmanager
    def around(self, name: str) -> Iterator[None]:
        """The boundary before the block, and, if the block succeeds, the boundary after it."""
        self.reach(f"before {name}")
        yield
        self.reach(f"after {name}")

    def reach(self, name: str) -> None:
        """Kills the process if a test has armed this boundary."""
        if self._directory is None:
            return
        record = self._directory / RECORD
        if record.exists():
            # One write to the end of the file, so that threads and processes do not mix.
            with record.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
        try:
            # Of several threads, only one succeeds in this.
            (self._directory / name).unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    def answer(self, name: str) -> None:
        """The boundaries around the answer to the current request. Call it when the work is done."""
        if self._directory is None:
            return
        from flask import after_this_request, has_request_context

        self.reach(f"before {name}")
        if not has_request_context():
            return

        def sent(response: Any) -> Any:
            response.call_on_close(partial(self.reach, f"after {name}"))
            return response

        after_this_request(sent)
