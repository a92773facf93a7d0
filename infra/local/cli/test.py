"""`test` installs Chromium and runs pytest; `bench` runs the benchmark of indexing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from infra.local.servers.tools import Missing, install
from infra.local.state_dir import ROOT

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: Each process takes whole files, in a fixed order.
_WHOLE_FILES = ("--dist", "loadfile", "--no-loadscope-reorder")
#: Tests often wait, for backoffs, claims and restarts. Each process has a run of its own, and a browser.
_PROCESSES_OF_A_CORE, _BYTES_OF_EACH = 2, 4e9


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Runs pytest and returns its exit code. Arguments that name tests run them in one process.

    With CI=true a missing Chromium is a failure. Otherwise the tests that need it are skipped.
    """
    try:
        _ensure_chromium(environment)
    except Missing as error:
        print(f"Chromium: {error}", file=sys.stderr)
        if environment.get("CI", "").lower() in ("1", "true"):
            return 1
    everything = all(argument.startswith("-") for argument in arguments)
    options = [*(_parallel() if everything else ()), *arguments]
    return subprocess.run([sys.executable, "-m", "pytest", *options], cwd=ROOT, check=False).returncode


def _parallel() -> tuple[str, ...]:
    useful = _PROCESSES_OF_A_CORE * (os.cpu_count() or 1)
    fit = int(psutil.virtual_memory().total // _BYTES_OF_EACH)
    return "-n", str(max(1, min(useful, fit))), *_WHOLE_FILES


def bench(arguments: list[str]) -> int:
    """Runs the benchmark and returns its exit code."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_pipeline", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _ensure_chromium(environment: Mapping[str, str]) -> None:
    """Raises Missing."""
    if any(shutil.which(name) for name in _CHROMIUM) or _playwright_has_chromium(environment):
        return
    try:
        install("chromium", "Chromium", lambda text: print(f"Chromium: {text}", file=sys.stderr))
    except Missing as no_package:
        print("Chromium: downloading Playwright's, once", file=sys.stderr)
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        if result.returncode != 0:
            raise Missing(f"{no_package} Playwright could not download one either.") from no_package


def _playwright_has_chromium(environment: Mapping[str, str]) -> bool:
    """Whether Playwright has downloaded a Chromium, in its directory on Linux or macOS."""
    own = environment.get("PLAYWRIGHT_BROWSERS_PATH")
    defaults = (Path.home() / ".cache" / "ms-playwright", Path.home() / "Library/Caches/ms-playwright")
    return any(list(place.glob("chromium-*")) for place in ((Path(own),) if own else defaults))
