"""The Firestore emulator without memory: a person is told and nothing more is taken, then it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.local.servers.heap import MemoryWatch
from infra.local.state_dir import StateDir
from shared.errors import Full, Transient
from shared.gcp.room import Room
from shared.pipeline.jobs import Jobs
from tests.integration.delivery_support import wait_until
from tests.integration.firestore_emulator import FirestoreEmulator, connected


def test_a_full_emulator_refuses_jobs_and_lives_and_one_without_memory_ends(tmp_path: Path) -> None:
    """With 96 MB, which hold a hundred documents of a megabyte at most."""
    state, said = StateDir(tmp_path), list[str]()
    emulator = FirestoreEmulator(tmp_path, memory_mb=96)
    watch = MemoryWatch(state, 96, said.append)
    try:
        emulator.wait()
        with connected(emulator.address) as db:
            db.room = Room(state.full)
            jobs, kept = Jobs(db), 0
            before, _ = jobs.start("maria", "PLbefore")
            while not state.full.exists():
                db.commit().set(f"large/{kept}", {"content": os.urandom(900_000)}).run()
                watch.look()
                kept += 1
            # It was said before that it fills.
            assert len(said) == 2
            with pytest.raises(Full, match=r"fills \d+ of 96 MB .* FIRESTORE_MEMORY_MB=192"):
                jobs.start("maria", "PLafter")
            # What is active is still found, and what is there can be read and changed.
            assert jobs.start("maria", "PLbefore")[0].job_id == before.job_id
            jobs.cancel(before.job_id)
            assert jobs.current("maria", "PLbefore") is None
            assert db.count("large") == kept
            assert emulator.ended() is None
            for number in range(200):
                try:
                    db.commit().set(f"larger/{number}", {"content": os.urandom(900_000)}).run()
                except Transient:
                    break
        wait_until(lambda: emulator.ended() is not None, 30)
        # 3: Java's exit code for -XX:+ExitOnOutOfMemoryError.
        assert emulator.ended() == 3
        assert 3 in emulator.exits
    finally:
        emulator.stop()
