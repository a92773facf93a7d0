"""infra/local/state_dir.py: secrets, the lock, and files that are replaced in one step."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

from infra.local.state_dir import ROOT, StateDir, write_whole


def test_a_relative_directory_starts_at_the_checkout() -> None:
    assert StateDir.at(Path(".local")).root == ROOT / ".local"


def test_the_operator_token_is_made_once_and_only_its_owner_can_read_it(state: StateDir) -> None:
    token = state.operator_token()
    assert len(token) >= 32
    assert StateDir(state.root).operator_token() == token
    mode = stat.S_IMODE((state.secrets / "operator-token").stat().st_mode)
    assert mode == 0o600
    assert stat.S_IMODE(state.secrets.stat().st_mode) == 0o700


def test_a_lock_has_one_holder_and_is_released_when_the_holder_is_killed(state: StateDir) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from infra.local.state_dir import StateDir\n"
        f"with StateDir(Path({str(state.root)!r})).lock() as ours: print(ours, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    with holder, holder.stdout:
        assert holder.stdout.readline() == "True\n"
        with state.lock() as ours:
            assert not ours
        holder.kill()
        holder.wait()
    with state.lock() as ours:
        assert ours


def test_a_replaced_file_leaves_no_temporary_file(state: StateDir) -> None:
    write_whole(state.status_file, "one")
    write_whole(state.status_file, "two")
    assert state.status_file.read_text() == "two"
    assert [path.name for path in state.run.iterdir()] == ["status.json"]
