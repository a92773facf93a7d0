"""Functions that run from their staged directories, with an environment of the test's own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

from infra.staging import stage

#: Seconds for the start and for an answer. Three interpreters import SDKs at the same time, and without
#: credentials Google's libraries look for a metadata server before they give up.
_START, ANSWER = 60, 60
_PROGRAM = Path(sys.executable).with_name("functions-framework")


class EndedEarly(AssertionError):
    """The function ended before it listened. The message holds its log."""


@contextmanager
def running(name: str, directory: Path, port: int, environment: Mapping[str, str]) -> Iterator[Path]:
    """A function that runs from its staged directory. Its log.

    Raises:
        EndedEarly
    """
    stage(name, directory)
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
        # gunicorn's master process ends its workers.
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=15)


def _listens(port: int) -> bool:
    try:
        # The framework answers this path itself.
        return requests.get(f"http://127.0.0.1:{port}/robots.txt", timeout=ANSWER).status_code == 404
    except requests.ConnectionError:
        return False
