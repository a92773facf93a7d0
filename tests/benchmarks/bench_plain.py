"""The same pipeline, written plainly, with servers like ours in the same benchmark.

The processor time of a video is compared to the time that it takes there, because the speed of processors
differs between machines, and between days on one machine, by more than any change here makes.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import requests

from infra.local.state_dir import ROOT
from infra.local.supervisor import framework, topics
from infra.local.supervisor.ports import free_ports
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.benchmarks import peers, usage
from tests.stack import Stack

_PEER = Path(__file__).with_name("plain_peer")
_PIPELINE = _PEER / "pipeline.yaml"
_PROJECT = "yts-local"
_SERVERS = ("elasticsearch", "pubsub", "firestore", "youtube")
_START_SECONDS, _RUN_SECONDS, _CALL_SECONDS = 60, 600, 30
_MAPPING = {
    # Idle after the same time as our index. Otherwise it would be refreshed while ours is not.
    "settings": {"number_of_replicas": 0, "search": {"idle": {"after": "3s"}}},
    "mappings": {
        "properties": {
            "transcript": {"type": "text", "analyzer": "english", "index_options": "offsets"},
            "starts": {"type": "float", "index": False, "doc_values": False},
            "offsets": {"type": "integer", "index": False, "doc_values": False},
        }
    },
}


@contextmanager
def peer(
    stack: Stack, warm: Sequence[str], concurrency: int
) -> Iterator[Callable[[str, Sequence[str]], tuple[float, dict[str, float]]]]:
    """Runs the plain pipeline with the servers of ``stack``, and fetches ``warm`` once.

    Yields a function that runs a job with a name and videos. It returns the seconds from the first message to
    the last indexed video, and the processor seconds of each component.
    """
    requests.put(f"{stack.elasticsearch}/plain", json=_MAPPING, timeout=_CALL_SECONDS).raise_for_status()
    with _functions(stack, concurrency) as running:

        def pids() -> dict[str, int]:
            servers = usage.pids(stack)
            return {name: servers[name] for name in _SERVERS} | dict(running)

        # The first videos open connections and import modules.
        _run(stack, "warm", warm)
        yield lambda name, video_ids: usage.spent(pids, partial(_run, stack, name, video_ids))


@contextmanager
def _functions(stack: Stack, concurrency: int) -> Iterator[Mapping[str, int]]:
    """Starts the two functions and a delivery, and waits until they answer. Yields their pids."""
    environment = {
        **os.environ,
        "PUBSUB_EMULATOR_HOST": stack.pubsub,
        "FIRESTORE_EMULATOR_HOST": stack.firestore,
        "ELASTICSEARCH_URL": stack.elasticsearch,
        "GOOGLE_CLOUD_PROJECT": _PROJECT,
        "PEER_YOUTUBE": stack.fake_youtube.url,
        "FETCH_CONCURRENCY": str(concurrency),
        "PYTHONPATH": str(ROOT),
    }
    pipeline = load_pipeline(Config.from_env(environment), _PIPELINE)
    ports = dict(zip((each.name for each in pipeline.functions), free_ports(2), strict=True))
    with ExitStack() as left:
        log = left.enter_context(stack.state.log("plain").open("wb"))

        def start(command: Sequence[str], **more: str) -> int:
            return left.enter_context(peers.running(command, ROOT, {**environment, **more}, log))

        pids = {}
        for function in pipeline.functions:
            # For the control socket of gunicorn.
            sockets = stack.state.run / "sockets" / function.name
            sockets.mkdir(parents=True)
            pids[function.name] = start(
                framework.command(function.name, _PEER / "main.py", ports[function.name]),
                THREADS=str(function.threads),
                XDG_RUNTIME_DIR=str(sockets),
            )
        for port in ports.values():
            stack.wait_for(partial(_answers, port), _START_SECONDS, "the peer answers")
        asyncio.run(topics.create(pipeline, stack.pubsub, _PROJECT))
        urls = [f"--function={name}=http://127.0.0.1:{port}" for name, port in ports.items()]
        pids["delivery"] = start(
            [sys.executable, "-m", "infra.local.delivery", "--pipeline", str(_PIPELINE), *urls]
        )
        yield pids


def _answers(port: int) -> bool:
    """Any answer will do, because the framework serves no path before its function is loaded."""
    requests.get(f"http://127.0.0.1:{port}/robots.txt", timeout=_CALL_SECONDS)
    return True


def _run(stack: Stack, run: str, video_ids: Sequence[str]) -> float:
    """Seconds until all videos are counted as indexed."""
    documents = f"http://{stack.firestore}/v1/projects/{_PROJECT}/databases/(default)/documents"

    def indexed() -> int:
        answer = requests.get(
            f"{documents}/plain_runs/{run}", headers={"Authorization": "Bearer owner"}, timeout=_CALL_SECONDS
        )
        if answer.status_code == 404:
            return 0
        answer.raise_for_status()
        return int(answer.json()["fields"]["indexed"]["integerValue"])

    begun = time.monotonic()
    stack.publish_all("plain-videos", [{"run": run, "video_id": video_id} for video_id in video_ids])
    stack.wait_for(
        lambda: indexed() >= len(video_ids),
        _RUN_SECONDS,
        lambda: f"the peer has indexed {len(video_ids)} videos; it has {indexed()}",
        # Asking is work for Firestore. Our jobs are asked about as often.
        interval=1,
    )
    return time.monotonic() - begun
