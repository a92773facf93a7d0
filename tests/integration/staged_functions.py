"""Functions that run from their staged directories, with an environment of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from compileall import compile_dir
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from py_compile import PycInvalidationMode

import requests

from infra.local.supervisor.processes import signal_group
from infra.staging import ROOT, stage

#: Seconds for the start and for an answer. Three interpreters import SDKs at the same time, and without
#: credentials Google's libraries look for a metadata server before they give up.
_START, ANSWER = 60, 60
_PROGRAM = Path(sys.executable).with_name("functions-framework")
_compiling = threading.Lock()


class EndedEarly(AssertionError):
    """The function ended before it listened. The message holds its log."""


@contextmanager
def running(name: str, directory: Path, port: int, environment: Mapping[str, str]) -> Iterator[Path]:
    """A function that runs from its staged directory. Its log.

    Raises:
        EndedEarly
    """
    stage(name, directory)
    with _compiling:
        compiled = _compiled()
    for path, code in compiled.items():
        (directory / path).parent.mkdir(exist_ok=True)
        (directory / path).write_bytes(code)
    log = directory.parent / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [_PROGRAM, "--target", name, "--source", "main.py", "--port", str(port)],
            env={"PATH": os.environ["PATH"], **environment},
            cwd=directory,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _START
        while not _listens(port):
            if process.poll() is not None:
                raise EndedEarly(f"{name} ended:\n{log.read_text()}")
            assert time.monotonic() < deadline, f"{name} does not listen:\n{log.read_text()}"
            time.sleep(0.1)
        yield log
    finally:
        # With its workers. An end in order takes each of them a second of processor time.
        signal_group(process.pid, signal.SIGKILL)
        process.wait(timeout=15)


@cache
def _compiled() -> dict[Path, bytes]:
    """The compiled modules of shared/, by their paths. Python takes them for files with the same source.

    To compile them takes longer than everything else that the start of a function does.
    """
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        shutil.copytree(ROOT / "shared", root / "shared", ignore=shutil.ignore_patterns("__pycache__"))
        compile_dir(root / "shared", quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)
        return {path.relative_to(root): path.read_bytes() for path in root.rglob("*.pyc")}


def _listens(port: int) -> bool:
    try:
        # The framework answers this path itself.
        return requests.get(f"http://127.0.0.1:{port}/robots.txt", timeout=ANSWER).status_code == 404
    except requests.ConnectionError:
        return False
