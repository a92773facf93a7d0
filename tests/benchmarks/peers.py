"""Programs that we are compared with. They are ended, whatever happens."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_END_SECONDS = 20


@contextmanager
def running(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str] | None = None,
    log: IO[bytes] | int | None = None,
) -> Iterator[int]:
    """Starts a program and yields its pid. ``log``: for its output, as for Popen; by default our own."""
    process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
