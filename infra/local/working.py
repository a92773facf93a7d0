"""`worker`: the fetcher by pulling, from this machine's address; of the local run, or of the cloud."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from typing import NoReturn

from infra.local import control, environment
from infra.local.environment import MARKER, Addresses
from infra.local.state_dir import ROOT, StateDir
from shared.config import Config


def environment_of(caller: Mapping[str, str], config: Config, state: StateDir) -> dict[str, str]:
    """With GOOGLE_APPLICATION_CREDENTIALS the caller's own; otherwise that of the local run.

    Raises:
        NotRunning: there are neither.
    """
    if caller.get("GOOGLE_APPLICATION_CREDENTIALS", "").strip():
        found = dict(caller) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    else:
        at = control.require(state)
        found = environment.for_python(
            caller, state, config, Addresses(at.pubsub, at.firestore, at.elasticsearch, at.youtube)
        )
        # It is not of the run: what `down` stops is what `up` started.
        del found[MARKER]
    found.setdefault("EGRESS_NAME", _name())
    return found


def _name() -> str:
    """Of this machine, as a name of an egress."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:50].strip("-._")
    return f"worker-{host or 'unnamed'}"


def work(caller: Mapping[str, str], config: Config, state: StateDir, subscription: str) -> NoReturn:
    """Becomes the worker: signals are its own."""
    script = str(ROOT / "functions" / "fetcher" / "worker.py")
    argv = [sys.executable, script, "--subscription", subscription]
    os.execve(sys.executable, argv, environment_of(caller, config, state))  # noqa: S606 our own program
