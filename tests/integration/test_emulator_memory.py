"""The Firestore emulator without memory: a person is told, then it ends, so that it can be started again."""

from __future__ import annotations

import os
from pathlib import Path

from infra.local.servers.heap import MemoryWatch
from shared.errors import Transient
from tests.integration.delivery_support import wait_until
from tests.integration.firestore_emulator import FirestoreEmulator, connected


def test_an_emulator_without_memory_says_so_and_ends(tmp_path: Path) -> None:
    """With 96 MB, which hold a hundred documents of a megabyte at most."""
    emulator, said = FirestoreEmulator(tmp_path, memory_mb=96), list[str]()
    watch = MemoryWatch(emulator.gc_log, 96, said.append)
    try:
        emulator.wait()
        with connected(emulator.address) as db:
            for number in range(200):
                try:
                    db.commit().set(f"large/{number}", {"content": os.urandom(900_000)}).run()
                except Transient:
                    break
                watch.look()
        wait_until(lambda: emulator.ended() is not None, 30)
        # 3: Java's exit code for -XX:+ExitOnOutOfMemoryError.
        assert emulator.ended() == 3
        assert said
    finally:
        emulator.stop()
