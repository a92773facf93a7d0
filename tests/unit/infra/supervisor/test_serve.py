"""infra/local/supervisor/serve.py: how a function ends, and what its two processes share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.supervisor import serve

_MAIN = """\
import atexit, sys
atexit.register(print, "tidied up")
print("x" * 100_000)
class Tidy:
    def __del__(self):
        print("Python visits every object")
kept = Tidy()
{end}
"""

#: Prints how many objects are frozen in a worker, and how many there were before.
_FORK = """\
import gc, os, sys
before = len(gc.get_objects())
if os.fork():
    os.wait()
    sys.exit(0)
print(gc.get_freeze_count(), before, flush=True)
os._exit(0)
"""


def _served(main: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", serve.__file__, "--target", "planner", "--source", str(main)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(0)", 0),
        ("sys.exit()", 0),
        ("sys.exit(3)", 3),
        ("sys.exit('this is missing')", 1),
        ("raise ValueError('this is missing')", 1),
    ],
)
def test_a_process_ends_with_its_code_and_its_output(end: str, code: int, tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(_MAIN.format(end=end))
    ended = _served(main)
    assert ended.returncode == code
    assert ended.stdout == "x" * 100_000 + "\ntidied up\n"
    assert ("this is missing" in ended.stderr) == ("missing" in end)


def test_the_garbage_collector_leaves_alone_what_a_worker_shares(tmp_path: Path) -> None:
    main = tmp_path / "main.py"
    main.write_text(_FORK)
    frozen, before = map(int, _served(main).stdout.split())
    assert before > 10_000
    assert frozen > 0.9 * before
