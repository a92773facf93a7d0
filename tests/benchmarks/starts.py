"""The seconds from the start of a function to its first answer. Each starts alone, as in Cloud Run."""

from __future__ import annotations

import os
import subprocess
import time

import requests

from infra.local.state_dir import ROOT
from infra.local.supervisor import framework
from infra.local.supervisor.ports import free_ports
from infra.pipeline import Function

_MOST_SECONDS = 30.0


def seconds(function: Function) -> float:
    """The time of one function. Its servers do not exist, because a function must start without them."""
    port = free_ports(1)[0]
    nowhere = dict.fromkeys(("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST"), "127.0.0.1:9")
    environment = {**os.environ, **nowhere, "PYTHONPATH": str(ROOT), "THREADS": str(function.threads)}
    source = ROOT / "functions" / function.name / "main.py"
    command = framework.command(function.name, source, port)
    begun = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while time.monotonic() - begun < _MOST_SECONDS:
            try:
                requests.get(f"http://127.0.0.1:{port}/robots.txt", timeout=5)
                return time.monotonic() - begun
            except requests.ConnectionError:
                time.sleep(0.01)
        raise TimeoutError(f"{function.name} did not answer within {_MOST_SECONDS:g} s")
    finally:
        process.terminate()
        process.wait(20)
