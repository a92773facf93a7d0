"""infra/local/supervisor/serve.py: a function ends at once, with its exit code and its whole output."""

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
    command = [sys.executable, "-P", serve.__file__, "--target", "planner", "--source", str(main)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code
    assert ended.stdout == "x" * 100_000 + "\ntidied up\n"
    assert ("this is missing" in ended.stderr) == ("missing" in end)
