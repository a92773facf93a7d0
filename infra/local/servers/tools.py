"""The programs that servers need: Java, Maven, Docker. Installed where that is possible."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

#: Elasticsearch 8 needs 17; the emulators are content with less.
JAVA_VERSION = 17
#: Java to run a server, Java to compile for one, Maven; by apt-get and by Homebrew.
_PACKAGES = {
    "java": ("default-jre-headless", "openjdk"),
    "javac": ("default-jdk-headless", "openjdk"),
    "mvn": ("maven", "maven"),
}

_installing = threading.Lock()


class Missing(RuntimeError):
    """Something is not there and cannot be installed; the message says in one line what to do."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a server.

    ``cleanup``: commands that remove what a killed server leaves behind (a container); run before
    each start and after each end. ``note``: where the server comes from, for the person who waits.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    note: str
    cleanup: tuple[tuple[str, ...], ...] = ()


Say = Callable[[str], None]


def java_home(environment: Mapping[str, str], say: Say, compiler: bool = False) -> Path:
    """A Java of version 17 or newer; with ``compiler`` one that has javac.

    Raises:
        Missing
    """
    program = "javac" if compiler else "java"
    found = _java_home(environment, program)
    if found is None:
        install(program, f"Java {JAVA_VERSION} or newer ({program})", say)
        found = _java_home(environment, program)
    if found is None:
        raise Missing(f"{program} was installed, but no Java {JAVA_VERSION} or newer: set JAVA_HOME to one")
    return found


def _java_home(environment: Mapping[str, str], program: str) -> Path | None:
    candidates = [Path(environment[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if environment.get(name)]
    # macOS has a /usr/bin/java that only asks to install one; it has no `release` file beside it.
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
    """From the `release` file that every Java carries: no process to start. 0 if there is none."""
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
        raise Missing("Maven was installed, but there is no mvn on PATH")
    return program


def docker(environment: Mapping[str, str]) -> str | None:
    """The docker program if a daemon answers it."""
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
    """Through apt-get, as root on Debian and Ubuntu.

    Raises:
        Missing: that is not this machine, or apt-get failed.
    """
    apt, brew = _PACKAGES.get(program, (program, program))
    hint = f"brew install {brew}" if sys.platform == "darwin" else f"sudo apt-get install {apt}"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise Missing(f"{meaning} was not found: install it ({hint}) and start again")
    # Several servers may find out at the same time; apt-get itself would refuse the second.
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
                raise Missing(f"{meaning} was not found, and {' '.join(command)} failed: {last}")
