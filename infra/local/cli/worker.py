"""`worker`: runs the fetcher on this machine, for the local run or for a deployment."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from typing import NoReturn

from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor import environment
from infra.local.supervisor.environment import MARKER, Addresses
from infra.local.supervisor.status import require
from shared.config import Config


def work(caller: Mapping[str, str], config: Config, state: StateDir, subscription: str) -> NoReturn:
    """Replaces this process by the worker, which then gets the signals itself.

    Raises:
        NotRunning: as :func:`environment_of`.
    """
    script = str(ROOT / "functions" / "fetcher" / "worker.py")
    argv = [sys.executable, script, "--subscription", subscription]
    os.execve(sys.executable, argv, environment_of(caller, config, state))  # noqa: S606 our own program


def environment_of(caller: Mapping[str, str], config: Config, state: StateDir) -> dict[str, str]:
    """The caller's environment if GOOGLE_APPLICATION_CREDENTIALS is set, otherwise that of the local run.

    Raises:
        NotRunning: the variable is not set, and there is no local run.
    """
    if caller.get("GOOGLE_APPLICATION_CREDENTIALS", "").strip():
        found = dict(caller) | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    else:
        at = require(state)
        addresses = Addresses(at.pubsub, at.firestore, at.elasticsearch, at.youtube)
        found = environment.for_python(caller, state, config, addresses)
        # `down` stops what `up` started, and the worker is not part of that.
        del found[MARKER]
    found.setdefault("EGRESS_NAME", _egress_name())
    return found


def _egress_name() -> str:
    """The host name, as a valid EGRESS_NAME."""
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:50].strip("-._")
    return f"worker-{host or 'unnamed'}"
