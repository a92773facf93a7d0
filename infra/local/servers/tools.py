"""Finds the programs that servers need (Java, Maven, Docker), and installs them with apt-get if possible."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.local.state_dir import ROOT

#: Elasticsearch 8 needs 17. The emulators need less.
JAVA_VERSION = 17
#: The packages that have each program, for apt-get and for Homebrew.
_PACKAGES = {
    "java": ("default-jre-headless", "openjdk"),
    "javac": ("default-jdk-headless", "openjdk"),
    "mvn": ("maven", "maven"),
}

_installing = threading.Lock()


class Missing(RuntimeError):
    """A program or server is missing and cannot be installed. The message says what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server.

    ``note`` tells the person who waits where the server comes from. ``cleanup`` are commands that run before
    each start and after each end: they remove the container of a killed server. It runs in ``directory``.
    ``exits``: what exit codes mean, for a person.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    note: str
    cleanup: tuple[tuple[str, ...], ...] = ()
    directory: Path = ROOT
    exits: Mapping[int, str] = field(default_factory=dict)


#: Prints a line about the progress.
Say = Callable[[str], None]


def java_home(environment: Mapping[str, str], say: Say, compiler: bool = False) -> Path:
    """The home of a Java of version 17 or newer. With ``compiler`` it has javac.

    Raises:
        Missing
    """
    program = "javac" if compiler else "java"
    found = _java_home(environment, program)
    if found is None:
        install(program, f"Java {JAVA_VERSION} or newer ({program})", say)
        found = _java_home(environment, program)
    if found is None:
        raise Missing(f"The installed Java is older than {JAVA_VERSION}. Set JAVA_HOME to a newer one.")
    return found


def _java_home(environment: Mapping[str, str], program: str) -> Path | None:
    candidates = [Path(environment[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if environment.get(name)]
    # On macOS, /usr/bin/java may only offer to install a Java. It has no `release` file.
    if on_path := shutil.which(program, path=environment.get("PATH")):
        candidates.append(Path(on_path).resolve().parents[1])
    for pattern in (
        "/usr/lib/jvm/*",
        "/opt/java/*",
        "/Library/Java/JavaVirtualMachines/*/Contents/Home",
        "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
        "/usr/local/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    ):
        candidates.extend(sorted(Path("/").glob(pattern[1:])))
    for home in candidates:
        if (home / "bin" / program).is_file() and _java_version(home) >= JAVA_VERSION:
            return home
    return None


def _java_version(home: Path) -> int:
    """The major version, from the `release` file in the home; 0 if there is none. Starts no process."""
    try:
        text = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    match = re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', text, re.MULTILINE)
    return int(match[1]) if match else 0


def maven(environment: Mapping[str, str], say: Say) -> str:
    """Raises Missing."""
    if shutil.which("mvn", path=environment.get("PATH")) is None:
        install("mvn", "Maven", say)
    program = shutil.which("mvn", path=environment.get("PATH"))
    if program is None:
        raise Missing("Maven was installed, but PATH has no mvn. Add its directory to PATH.")
    return program


def docker(environment: Mapping[str, str]) -> str | None:
    """The docker program, or None if there is none or no daemon answers."""
    program = shutil.which("docker", path=environment.get("PATH"))
    if program is None:
        return None
    try:
        answer = subprocess.run(
            [program, "info", "--format", "{{.ServerVersion}}"],
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return program if answer.returncode == 0 and answer.stdout.strip() else None


def install(program: str, meaning: str, say: Say) -> None:
    """Installs a program with apt-get, which needs root on Debian or Ubuntu. ``meaning`` names the program.

    Raises:
        Missing: this is another system or user, or apt-get failed.
    """
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        hint = install_command(program, sys.platform)
        raise Missing(f"{meaning} was not found. Install it ({hint}) and start again.")
    apt, _ = _packages(program)
    # Two servers may need a program at the same time, and apt-get refuses to run twice.
    with _installing:
        say(f"installing {apt} with apt-get, once")
        for command in (
            ("apt-get", "-qq", "update"),
            ("apt-get", "-qq", "install", "-y", "--no-install-recommends", apt),
        ):
            result = subprocess.run(
                command,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                capture_output=True,
                text=True,
                timeout=900,
                check=False,
            )
            if result.returncode != 0:
                last = (result.stderr.strip() or result.stdout.strip() or "no output").splitlines()[-1]
                raise Missing(
                    f"{meaning} was not found, and installing it failed ({' '.join(command)}): {last}"
                )


def install_command(program: str, platform: str) -> str:
    """The command that a person can type to install a program. ``platform`` is a sys.platform."""
    apt, brew = _packages(program)
    return f"brew install {brew}" if platform == "darwin" else f"sudo apt-get install {apt}"


def _packages(program: str) -> tuple[str, str]:
    return _PACKAGES.get(program, (program, program))
