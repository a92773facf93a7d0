"""The real Firestore emulator, alone, and the database in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from infra.local.servers.emulators import firestore
from infra.local.state_dir import StateDir
from infra.local.supervisor.ports import free_ports
from shared.config import Config
from shared.gcp.firestore import Firestore
from tests.integration.delivery_support import wait_until

PROJECT = "yts-test"


class FirestoreEmulator:
    """Raises Missing when there is none to start."""

    def __init__(self, directory: Path, memory_mb: int = 1024) -> None:
        port = free_ports(1)[0]
        self.address = f"127.0.0.1:{port}"
        self.gc_log = StateDir(directory).gc_log
        launch = firestore(
            os.environ, StateDir(directory), port, None, lambda text: None, memory_mb=memory_mb
        )
        #: What its exit codes mean.
        self.exits = launch.exits
        self._log = directory / "firestore.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                launch.argv, env=dict(launch.environment), stdout=log, stderr=subprocess.STDOUT
            )

    def wait(self) -> None:
        wait_until(self._answers, 60)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"http://{self.address}/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def ended(self) -> int | None:
        """The exit code, once the emulator has ended."""
        return self._process.poll()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)


@contextmanager
def connected(address: str, **options: Any) -> Iterator[Firestore]:
    """The database at an address. Google's client finds the emulator by the environment alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIRESTORE_EMULATOR_HOST", address)
        db = Firestore(Config(google_cloud_project=PROJECT, firestore_emulator_host=address), **options)
        db.ping(30)
        yield db
        db.close()
