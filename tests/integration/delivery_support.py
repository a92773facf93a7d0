"""The real Pub/Sub emulator, the local delivery in a process of its own, and functions for tests."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from infra.local.servers.emulators import pubsub
from infra.local.servers.tools import Launch
from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor import topics
from infra.local.supervisor.ports import free_ports
from infra.pipeline import Pipeline

PROJECT = "yts-test"
#: A description of a pipeline with several kinds of subscriptions.
PIPELINE = """
topics: [ones, twos, threes, given-up]
dead_letter_topic: given-up
subscriptions:
  first: &policy
    topic: ones
    ack_deadline_seconds: 10
    minimum_backoff_seconds: 1
    maximum_backoff_seconds: 2
    max_delivery_attempts: 5
    local_concurrency: 3
  second: {<<: *policy, topic: ones, local_concurrency: 8}
  third: {<<: *policy, topic: twos}
  # A backoff longer than the deadline.
  patient: {<<: *policy, topic: threes, minimum_backoff_seconds: 11, maximum_backoff_seconds: 11}
  buried: {<<: *policy, topic: given-up, max_delivery_attempts: null}
functions:
  first: &function {trigger: pubsub, memory_mb: 256, timeout_seconds: 10}
  second: *function
  third: *function
  patient: *function
  buried: *function
schedules: {}
"""


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Waits until the condition is true. Fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {seconds} s"
        time.sleep(0.02)


class Emulator:
    """The Pub/Sub emulator. Raises Missing when it is not installed."""

    def __init__(self, directory: Path) -> None:
        self.port = free_ports(1)[0]
        self.address = f"127.0.0.1:{self.port}"
        self._log = directory / "emulator.log"
        self._launch: Launch = pubsub(os.environ, StateDir(directory), self.port, lambda text: None)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._launch.argv, env=dict(self._launch.environment), stdout=log, stderr=log
            )
        wait_until(self._answers, 60)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait(timeout=10)

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://{self.address}/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def create(self, pipeline: Pipeline) -> None:
        asyncio.run(topics.create(pipeline, self.address, PROJECT))

    def publish(self, topic: str, *messages: dict[str, Any]) -> list[str]:
        """Publishes messages, as in Pub/Sub's REST API, but with text as ``data``. Returns their ids."""
        encoded = [
            message | {"data": base64.b64encode(message["data"].encode()).decode()}
            if "data" in message
            else message
            for message in messages
        ]
        response = requests.post(
            f"http://{self.address}/v1/projects/{PROJECT}/topics/{topic}:publish",
            json={"messages": encoded},
            timeout=10,
        )
        assert response.status_code == 200, response.text
        ids: list[str] = response.json()["messageIds"]
        return ids

    def retry_policy(self, subscription: str) -> Any:
        url = f"http://{self.address}/v1/projects/{PROJECT}/subscriptions/{subscription}"
        return requests.get(url, timeout=10).json().get("retryPolicy")


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a function. ``at``: when it came."""

    headers: dict[str, str]
    body: dict[str, Any]
    at: float = field(default_factory=time.monotonic)

    @property
    def text(self) -> str:
        return base64.b64decode(self.body["message"].get("data", "")).decode()

    @property
    def attempt(self) -> int:
        number: int = self.body["deliveryAttempt"]
        return number


class Function:
    """An HTTP server that answers each request with the status that ``behave`` returns.

    ``requests``: all of them. ``most_at_once``: the most that were handled at the same time.
    """

    def __init__(self, behave: Callable[[Request], int] = lambda request: 204, port: int = 0) -> None:
        self.behave = behave
        self.requests: list[Request] = []
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        function = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                request = Request({k.lower(): v for k, v in self.headers.items()}, json.loads(body))
                with function._lock:
                    function.requests.append(request)
                    function.at_once += 1
                    function.most_at_once = max(function.most_at_once, function.at_once)
                try:
                    status = function.behave(request)
                finally:
                    with function._lock:
                        function.at_once -= 1
                try:
                    self.send_response(status)
                    self.send_header("content-length", "0")
                    self.end_headers()
                except OSError:
                    # The delivery did not wait any longer.
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 500

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Ignores the broken connections of a delivery that was killed."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def texts(self) -> list[str]:
        return [request.text for request in self.requests]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Delivery:
    """The process ``python -m infra.local.delivery``."""

    def __init__(self, emulator: Emulator, pipeline_file: Path, functions: dict[str, str]) -> None:
        self.port = free_ports(1)[0]
        self._log = pipeline_file.with_name("delivery.log")
        self.changes = pipeline_file.with_name("changes")
        arguments: Sequence[str] = [f"--function={name}={url}" for name, url in functions.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "infra.local.delivery"),
                    *("--pipeline", str(pipeline_file), "--port", str(self.port)),
                    *("--changes", str(self.changes), *arguments),
                ],
                env=os.environ | {"PUBSUB_EMULATOR_HOST": emulator.address, "GOOGLE_CLOUD_PROJECT": PROJECT},
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def is_ready(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log.read_text().splitlines()]

    def log_text(self) -> str:
        return self._log.read_text()

    def send(self, number: signal.Signals) -> int:
        """Sends a signal, and returns the exit code of the process."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(timeout=20)
