"""Installs the requirements into `.venv`, and then runs the command line there.

This module runs before anything is installed, so it uses only the standard library (Python 3.11 or newer).
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
_REQUIREMENTS = ROOT / "infra" / "local" / "requirements.txt"
_TEST_REQUIREMENTS = ROOT / "requirements-dev.txt"


class BootstrapError(RuntimeError):
    """The environment could not be made. The message says what to do, in one line."""


def digest_of(requirements: Path) -> str:
    """The SHA-256 of the file and of all files that it includes with -r."""
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
    """Makes the virtual environment if there is none, and installs the requirements if they have changed.

    Raises:
        BootstrapError
    """
    stamp = _VENV / f".{requirements.parent.name}-{requirements.name}.sha256"
    wanted = digest_of(requirements)
    if _is(stamp, wanted) and _PYTHON.exists():
        return
    # If two commands start at once, the second waits here and then has nothing to do.
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is(stamp, wanted) and _works(_PYTHON):
            return
        began = time.monotonic()
        print("Python packages: installing …", file=sys.stderr, flush=True)
        if not _works(_PYTHON):
            _make()
        pip = (str(_PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements)
        result = subprocess.run(pip, capture_output=True, text=True, timeout=1800, check=False)
        if result.returncode != 0:
            errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
            reason = errors[-1] if errors else "no reason given"
            raise BootstrapError(f"pip could not install {requirements.name}; start again. {reason}")
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
    """Whether this Python runs and has pip. An interrupted installation may leave one that does not."""
    command = (python, "-m", "pip", "--version")
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _make() -> None:
    # An interrupted attempt, or a Python that was removed, may have left an unusable environment.
    shutil.rmtree(_VENV, ignore_errors=True)
    base = getattr(sys, "_base_executable", None) or sys.executable
    result = _venv(base)
    if result.returncode != 0 and shutil.which("apt-get") and os.geteuid() == 0:
        # Debian and Ubuntu have the module venv in a separate package.
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (("apt-get", "-qq", "update"), ("apt-get", "-qq", "install", "-y", package)):
            subprocess.run(command, env=environment, capture_output=True, timeout=600, check=False)
        shutil.rmtree(_VENV, ignore_errors=True)
        result = _venv(base)
    if result.returncode != 0:
        output = (result.stdout + result.stderr).strip().splitlines() or ["no reason given"]
        raise BootstrapError(
            f"python -m venv failed ({output[0].strip():.200})."
            " On Debian and Ubuntu, run sudo apt-get install python3-venv and start again."
        )


def _venv(base: str) -> subprocess.CompletedProcess[str]:
    command = [base, "-m", "venv", str(_VENV)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def main() -> None:
    arguments = sys.argv[1:]
    try:
        prepare(_TEST_REQUIREMENTS if arguments[:1] in (["test"], ["bench"]) else _REQUIREMENTS)
    except (BootstrapError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(str(error))
    os.execv(_PYTHON, [str(_PYTHON), "-m", "infra.local.cli", *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
