"""How a function is served: the command of functions-framework."""

from __future__ import annotations

import sys
from pathlib import Path


def command(target: str, source: Path, trigger: str, port: int) -> tuple[str, ...]:
    """Serves the function ``target`` of a file on a port of this machine. ``trigger``: "http" or "pubsub"."""
    return (
        str(Path(sys.executable).with_name("functions-framework")),
        *("--target", target, "--source", str(source)),
        *("--signature-type", "cloudevent" if trigger == "pubsub" else "http"),
        *("--host", "127.0.0.1", "--port", str(port)),
    )
