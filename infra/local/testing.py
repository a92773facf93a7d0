"""`test`: everything the tests need, then pytest; `bench`: the benchmark of indexing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.local.servers.tools import Missing, install
from infra.local.state_dir import ROOT

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: All tests go side by side in two processes, file by file and in order: much of their time is waiting.
_SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")


def run(arguments: list[str]) -> int:
    """The exit code of pytest; arguments that name tests run them in one process.

    In CI (CI=true) nothing may be missing; elsewhere what needs it is skipped.
    """
    strict = os.environ.get("CI", "").lower() in ("1", "true")
    try:
        _chromium()
    except Missing as error:
        print(f"Chromium: {error}", file=sys.stderr)
        if strict:
            return 1
    everything = all(argument.startswith("-") for argument in arguments)
    options = [*(_SIDE_BY_SIDE if everything else ()), *arguments]
    return subprocess.run([sys.executable, "-m", "pytest", *options], cwd=ROOT, check=False).returncode


def bench(arguments: list[str]) -> int:
    """The exit code of the benchmark."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_pipeline", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _chromium() -> None:
    """Raises Missing."""
    if any(shutil.which(name) for name in _NAMES) or _playwrights():
        return
    try:
        install("chromium", "Chromium", lambda text: print(f"Chromium: {text}", file=sys.stderr))
    except Missing as no_package:
        print("Chromium: downloading Playwright's, once", file=sys.stderr)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if result.returncode != 0:
            raise Missing(f"{no_package}; nor could Playwright download its own") from no_package


def _playwrights() -> bool:
    """Whether Playwright has a Chromium of its own, where it keeps them."""
    own = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    places = (
        (Path(own),)
        if own
        else (
            Path.home() / ".cache" / "ms-playwright",
            Path.home() / "Library" / "Caches" / "ms-playwright",
        )
    )
    return any(
        place.glob("chromium*-*") for place in places if place.is_dir() for _ in place.glob("chromium-*")
    )
