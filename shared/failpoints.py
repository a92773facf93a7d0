"""Failpoints: boundaries at which a test can have this process killed, once, as by kill -9.

Before and after each write, publish and acknowledgement lies a boundary with a name. Nothing happens
there unless FAILPOINTS_DIR is set and emulators are in use: never in the cloud. A test arms a
boundary of a running function by making the file ``FAILPOINTS_DIR/FUNCTION/NAME``; whoever passes it first
takes the file away and dies. Which boundaries there are need not be listed: while ``FUNCTION/record``
exists, every name that is passed is added to it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from shared import config

#: The file that names are recorded in.
RECORD = "record"


def _directory() -> Path | None:
    settings = config.load()
    if settings.failpoints_dir is None or not settings.local or settings.pubsub_emulator_host is None:
        return None
    return settings.failpoints_dir / (settings.k_service or "none")


@contextmanager
def around(name: str) -> Iterator[None]:
    """The boundaries before and after what is done inside, if it succeeds."""
    reach(f"before {name}")
    yield
    reach(f"after {name}")


def reach(name: str) -> None:
    """Dies here if a test wants it so."""
    directory = _directory()
    if directory is None:
        return
    record = directory / RECORD
    if record.exists():
        # One write, at the end of the file: threads and processes do not interleave.
        with record.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
    try:
        # Only one of many succeeds in this.
        (directory / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def answer(name: str) -> None:
    """The boundaries around the answer to the present request; to be called when the work is done."""
    if _directory() is None:
        return
    from flask import after_this_request, has_request_context

    reach(f"before {name}")
    if not has_request_context():
        return

    def sent(response: Any) -> Any:
        response.call_on_close(partial(reach, f"after {name}"))
        return response

    after_this_request(sent)
