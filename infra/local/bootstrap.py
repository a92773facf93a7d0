"""Makes `.venv` what the requirements say, then hands over to the command line inside it.

Runs on any Python from 3.11, before anything is installed: the standard library alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_VENV = ROOT / ".venv"
_PYTHON = _VENV / "bin" / "python"
_FOR_ALL = ROOT / "infra" / "local" / "requirements.txt"
_FOR_TESTS = ROOT / "requirements-dev.txt"


class BootstrapError(RuntimeError):
    """What is missing and what to do about it, in a line."""


def digest_of(requirements: Path) -> str:
    """Of the file and all it includes, so that a change of any of them is seen."""
    digest = hashlib.sha256()
    todo, seen = [requirements.resolve()], set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        text = path.read_text(encoding="utf-8")
        digest.update(text.encode())
        todo.extend((path.parent / name).resolve() for name in re.findall(r"^-r\s+(\S+)", text, re.MULTILINE))
    return digest.hexdigest()


def prepare(requirements: Path) -> None:
    """Makes the virtual environment if need be, and installs what changed.

    Raises:
        BootstrapError
    """
    stamp = _VENV / f".{requirements.parent.name}-{requirements.name}.sha256"
    wanted = digest_of(requirements)
    if _is(stamp, wanted) and _PYTHON.exists():
        return
    # Two commands started at once: the second waits here, and finds everything done.
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is(stamp, wanted) and _works(_PYTHON):
            return
        began = time.monotonic()
        print("Python packages: installing what changed …", file=sys.stderr, flush=True)
        if not _works(_PYTHON):
            _make()
        pip = (
            str(_PYTHON),
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "-r",
            str(requirements),
        )
        result = subprocess.run(pip, capture_output=True, text=True, timeout=1800, check=False)
        if result.returncode != 0:
            lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or [
                "no reason given"
            ]
            raise BootstrapError(f"pip could not install {requirements.name}: {lines[-1]}")
        stamp.write_text(wanted, encoding="utf-8")
        seconds = time.monotonic() - began
        print(f"Python packages: ready after {seconds:.0f} s", file=sys.stderr, flush=True)
    finally:
        os.close(lock)


def _is(stamp: Path, wanted: str) -> bool:
    try:
        return stamp.read_text(encoding="utf-8") == wanted
    except OSError:
        return False


def _works(python: Path) -> bool:
    """Whether the environment is whole: its Python runs and has pip."""
    try:
        return (
            subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False).returncode
            == 0
        )
    except OSError:
        return False


def _make() -> None:
    # What is left of an interrupted attempt, or of a Python that is gone.
    shutil.rmtree(_VENV, ignore_errors=True)
    base = getattr(sys, "_base_executable", None) or sys.executable
    result = _venv(base)
    if result.returncode != 0 and shutil.which("apt-get") and os.geteuid() == 0:
        # Debian and Ubuntu keep a part of the standard library in a package of its own.
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "-qq", "update"), ("apt-get", "-qq", "install", "-y", package)):
            subprocess.run(command, env=environment, capture_output=True, timeout=600, check=False)
        shutil.rmtree(_VENV, ignore_errors=True)
        result = _venv(base)
    if result.returncode != 0:
        said = (result.stdout + result.stderr).strip().splitlines() or ["no reason given"]
        raise BootstrapError(
            f"python -m venv failed ({said[0].strip():.200}): sudo apt-get install python3-venv, then again"
        )


def _venv(base: str) -> subprocess.CompletedProcess[str]:
    command = [base, "-m", "venv", str(_VENV)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def main() -> None:
    arguments = sys.argv[1:]
    try:
        prepare(_FOR_TESTS if arguments[:1] in (["test"], ["bench"]) else _FOR_ALL)
    except (BootstrapError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(str(error))
    os.execv(_PYTHON, [str(_PYTHON), "-m", "infra.local.cli", *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
