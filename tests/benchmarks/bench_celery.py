"""Celery, Redis and gevent do the same work, with the same fake YouTube and the same Elasticsearch.

Celery has an environment of its own under .local/, which the first run makes. redis-server comes from the
system's packages. Both are measured in the same run as ours, because machines differ in speed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local.servers.tools import Missing, install
from infra.local.state_dir import ROOT
from infra.local.supervisor.ports import free_ports
from tests.benchmarks import peers, usage
from tests.stack import Stack

_PEER = ROOT / "tests" / "benchmarks" / "celery_peer"
_ENVIRONMENT = ROOT / ".local" / "celery-peer"
_START_SECONDS, _RUN_SECONDS = 60, 600


def seconds(stack: Stack, video_ids: Sequence[str], concurrency: int) -> tuple[float, float]:
    """Seconds from the first queued task to the end of the last one; processor seconds of worker and Redis.

    Raises:
        Missing: there is no redis-server, and none can be installed.
    """
    python = _environment()
    with _redis() as (url, redis):
        environment = {
            **os.environ,
            "PEER_REDIS": url,
            "PEER_YOUTUBE": stack.fake_youtube.url,
            "PEER_ELASTICSEARCH": stack.elasticsearch,
        }

        def work() -> float:
            begun = time.monotonic()
            _queue(python, environment, video_ids)
            _until_done(python, environment, 1 + len(video_ids), _RUN_SECONDS)
            return time.monotonic() - begun

        command = (python, "-m", "celery", "-A", "tasks", "worker", "-P", "gevent", f"-c{concurrency}")
        with peers.running((*command, "-lWARNING"), _PEER, environment) as worker:
            # The first task waits for the worker's start, which is not measured.
            _queue(python, environment, [video_ids[0]])
            _until_done(python, environment, 1, _START_SECONDS)
            took, spent = usage.spent(lambda: {"worker": worker, "redis": redis}, work)
            return took, sum(spent.values())


def _environment() -> str:
    """The Python of the peer's own environment."""
    python = _ENVIRONMENT / "bin" / "python"
    ready = _ENVIRONMENT / "ready"
    wanted = (_PEER / "requirements.txt").read_text()
    if not ready.exists() or ready.read_text() != wanted:
        shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", _ENVIRONMENT], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", _PEER / "requirements.txt"], check=True)
        ready.write_text(wanted)
    return str(python)


@contextmanager
def _redis() -> Iterator[tuple[str, int]]:
    if shutil.which("redis-server") is None:
        install("redis-server", "Redis", lambda text: print(f"Redis: {text}", file=sys.stderr))
    program = shutil.which("redis-server")
    if program is None:
        raise Missing("redis-server: install it, or leave the peer out with --no-peer")
    port = free_ports(1)[0]
    command = (program, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1")
    with peers.running(command, Path("/"), log=subprocess.DEVNULL) as pid:
        yield f"redis://127.0.0.1:{port}/0", pid


def _queue(python: str, environment: dict[str, str], video_ids: Sequence[str]) -> None:
    code = "import sys, tasks\nfor video_id in sys.stdin.read().split(): tasks.fetch.delay(video_id)"
    subprocess.run(
        [python, "-c", code], cwd=_PEER, env=environment, input="\n".join(video_ids), text=True, check=True
    )


def _until_done(python: str, environment: dict[str, str], number: int, most_seconds: float) -> None:
    code = (
        "import sys, time, tasks\n"
        "end = time.monotonic() + float(sys.argv[2])\n"
        "while int(tasks.counters.get('done') or 0) < int(sys.argv[1]):\n"
        "    if time.monotonic() > end: sys.exit('the peer did not come to its end')\n"
        "    time.sleep(0.05)\n"
    )
    command = [python, "-c", code, str(number), str(most_seconds)]
    subprocess.run(command, cwd=_PEER, env=environment, check=True)
