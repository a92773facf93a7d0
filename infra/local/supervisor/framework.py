"""The command that serves a function with functions-framework."""

from __future__ import annotations

import sys
from pathlib import Path


def command(target: str, source: Path, port: int) -> tuple[str, ...]:
    """Serves the function ``target`` of a source file on a local port."""
    return (
        *(sys.executable, "-P", str(Path(__file__).with_name("serve.py"))),
        *("--target", target, "--source", str(source)),
        *("--host", "127.0.0.1", "--port", str(port)),
    )
