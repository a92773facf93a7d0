"""Programs of the peers: started, and ended whatever happens."""

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
    """The pid of a program. ``log``: where what it says goes, as for Popen; to this one's own by default."""
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
