"""A whole local run for tests, seen from outside: `./emulators.sh`, HTTP, and the state directory.

    def test_something(stack: Stack) -> None:
        job_id = stack.index("PLyts-sample-talks")
        assert stack.finish(job_id)["state"] == "done"

Each run has a state directory and a port of its own. So runs do not disturb each other, nor the run that a
person works with. They share only the unpacked servers.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import psutil
import requests

from infra.local.cli.api import Api
from infra.local.state_dir import ROOT, StateDir
from infra.local.supervisor import processes, status
from infra.local.supervisor.environment import CONFIGURATION
from infra.local.supervisor.ports import free_ports
from tests.documented import checked

_T = TypeVar("_T")

#: The first `up` of a machine fetches Elasticsearch.
_UP_SECONDS = 900
_REQUEST_SECONDS = 30
_DIRECTORY = ROOT / ".local-test"
_number = itertools.count(1)
_WARNING = re.compile(r'"severity": ?"(?:WARNING|ERROR|CRITICAL)"')


class StackError(RuntimeError):
    """The run did not start, or a command or request failed. The message holds its output."""


class Stack:
    """One run. ``directory``: where an earlier run may have left a library; None: a new one. ``variables``:
    further variables of its environment, such as FETCH_CONCURRENCY."""

    def __init__(self, directory: Path | None = None, /, **variables: str) -> None:
        self.state = StateDir.at(directory or _DIRECTORY / f"{os.getpid()}-{next(_number)}")
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if name not in CONFIGURATION}
        #: Where failpoints of its functions are armed; see shared/gcp/failpoints.py.
        self.failpoints = self.state.root / "failpoints"
        own = {
            "LOCAL_STATE_DIR": str(self.state.root),
            "PORT": str(self.port),
            "FAILPOINTS_DIR": str(self.failpoints),
        }
        self.environment = kept | own | variables
        self._tokens: dict[str, str] = {}
        #: The id of a job that was started with the run; see tests/doomed.py.
        self.doomed = ""
        self._share_servers()

    # -- the run -----------------------------------------------------------------------------------

    def command(
        self, *arguments: str, check: bool = True, timeout: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Runs `./emulators.sh ARGUMENTS` for this run.

        Raises:
            StackError: its exit code is not 0. Only with ``check``.
        """
        result = subprocess.run(
            [ROOT / "emulators.sh", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check and result.returncode != 0:
            raise StackError(
                f"./emulators.sh {' '.join(arguments)} ended with {result.returncode}:\n"
                f"{result.stdout[-4000:]}\n{result.stderr[-4000:]}"
            )
        return result

    def start(self, *options: str) -> str:
        """Starts the run, without the sample library. Returns what `up` has printed."""
        return self.command("up", "--detach", "--no-sample", *options, timeout=_UP_SECONDS).stdout

    def down(self) -> None:
        self.command("down")

    def stop(self) -> None:
        """Stops the run and removes its state directory."""
        self.down()
        shutil.rmtree(self.state.root, ignore_errors=True)

    def crash(self) -> None:
        """Kills all processes of the run, the supervisor first, and waits until they are gone."""
        if supervisor := self.supervisor():
            os.kill(supervisor, signal.SIGKILL)
        for process in processes.marked(self.state):
            process.kill()
        self.wait_for(lambda: not processes.marked(self.state), 20, "all processes are gone")

    def supervisor(self) -> int | None:
        """The process id of the supervisor, if it runs."""
        try:
            pid = int(self.state.pid_file.read_text())
        except FileNotFoundError:
            return None
        return pid if psutil.pid_exists(pid) else None

    def components(self) -> dict[str, dict[str, Any]]:
        """Each component by name: its state, port and pid, as `status --json` prints them.

        This starts no process, because tests call it again and again while a component restarts.

        Raises:
            NotRunning: the run is not up.
        """
        return {component["name"]: component for component in status.require(self.state).components}

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Sends a signal to a component. Returns its pid."""
        pid = self.components()[name]["pid"]
        if pid is None:
            raise StackError(f"expected {name} to run, found {self.components()[name]}")
        os.kill(pid, number)
        return int(pid)

    def wait_until_back(self, killed: Mapping[str, int], timeout: float = 150) -> dict[str, dict[str, Any]]:
        """Waits until components run again. ``killed``: their names and old pids. Returns their new state."""

        def back() -> dict[str, dict[str, Any]]:
            now = self.components()
            up = all(
                now[each]["state"] == "running" and now[each]["pid"] != pid for each, pid in killed.items()
            )
            return {name: now[name] for name in killed} if up else {}

        return self.wait_for(back, timeout, f"{', '.join(killed)} run again")

    def log(self, name: str) -> str:
        """The log of a component in this run."""
        try:
            return self.state.log(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def troubles(self) -> str:
        """The last warnings of each component, for the message of a test that fails."""
        found = []
        for log in sorted(self.state.logs.glob("*.log")):
            warnings = [line for line in self.log(log.stem).splitlines() if _WARNING.search(line)]
            found += [f"{log.stem}: {line:.300}" for line in warnings[-3:]]
        return "\n".join(found)

    # -- its servers -------------------------------------------------------------------------------

    def _address(self, name: str) -> str:
        return str(json.loads(self.state.status_file.read_text())[name])

    @property
    def pubsub(self) -> str:
        """HOST:PORT."""
        return self._address("pubsub")

    @property
    def firestore(self) -> str:
        """HOST:PORT."""
        return self._address("firestore")

    @property
    def elasticsearch(self) -> str:
        """A URL."""
        return self._address("elasticsearch")

    @property
    def fake_youtube(self) -> FakeYouTube:
        return FakeYouTube(self._address("youtube"))

    def publish(self, topic: str, message: Mapping[str, Any] | bytes) -> str:
        """Publishes a message as gcloud does, or bytes as they are. Returns the message's id."""
        return self.publish_all(topic, [message])[0]

    def publish_all(self, topic: str, messages: Iterable[Mapping[str, Any] | bytes]) -> list[str]:
        """As :meth:`publish`, for several messages in one request."""
        payloads = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages]
        url = f"http://{self.pubsub}/v1/projects/yts-local/topics/{topic}:publish"
        body = {"messages": [{"data": base64.b64encode(payload).decode()} for payload in payloads]}
        answer = requests.post(url, json=body, timeout=_REQUEST_SECONDS)
        answer.raise_for_status()
        return [str(message_id) for message_id in answer.json()["messageIds"]]

    # -- its API -----------------------------------------------------------------------------------

    def token(self, user: str = "demo") -> str:
        """An API token of this user, the same at each call."""
        if user not in self._tokens:
            # As `./emulators.sh token` does it, but without starting a process.
            self._tokens[user] = Api(self.url, self.state, user).new_token()
        return self._tokens[user]

    def request(self, method: str, path: str, user: str | None = "demo", **options: Any) -> requests.Response:
        """Sends a request as this user, or without a token for None. ``options``: as requests takes them."""
        headers = dict(options.pop("headers", {}))
        if user is not None:
            headers.setdefault("Authorization", f"Bearer {self.token(user)}")
        timeout = options.pop("timeout", _REQUEST_SECONDS)
        return checked(requests.request(method, self.url + path, headers=headers, timeout=timeout, **options))

    def get(self, path: str, user: str | None = "demo", **options: Any) -> requests.Response:
        return self.request("GET", path, user, **options)

    def post(self, path: str, user: str | None = "demo", **options: Any) -> requests.Response:
        return self.request("POST", path, user, **options)

    def index(self, playlist: str, user: str = "demo") -> str:
        """Starts a job. Returns its id."""
        answer = self.post("/api/index", user, json={"playlist": playlist})
        if answer.status_code not in (200, 202):
            raise StackError(f"POST /api/index: expected 202, found {answer.status_code}: {answer.text}")
        return str(answer.json()["job_id"])

    def job(self, job_id: str, user: str = "demo") -> dict[str, Any]:
        answer = self.get(f"/api/jobs/{job_id}", user)
        if answer.status_code != 200:
            raise StackError(
                f"GET /api/jobs/{job_id}: expected 200, found {answer.status_code}: {answer.text}"
            )
        return dict(answer.json())

    def finish(self, job_id: str, user: str = "demo", timeout: float = 120) -> dict[str, Any]:
        """Waits for the end of a job. Returns the job."""
        last: dict[str, Any] = {}

        def over() -> bool:
            last.update(self.job(job_id, user))
            return last["state"] in ("done", "failed", "cancelled")

        # Each request reads a document for every fifty videos, which slows down the functions under test.
        self.wait_for(over, timeout, lambda: f"the job ends; it is {last}\n{self.troubles()}", share=0.05)
        return last

    def search(self, query: str, user: str = "demo", **parameters: Any) -> dict[str, Any]:
        answer = self.get("/api/search", user, params={"q": query, **parameters})
        if answer.status_code != 200:
            raise StackError(f"GET /api/search: expected 200, found {answer.status_code}: {answer.text}")
        return dict(answer.json())

    @staticmethod
    def wait_for(
        condition: Callable[[], _T],
        timeout: float,
        message: str | Callable[[], str],
        interval: float = 0.1,
        share: float = 0,
    ) -> _T:
        """Waits until a condition is true. Returns its value.

        Fails with ``message`` after ``timeout`` seconds. Between two checks it sleeps for ``interval``
        seconds, or for this ``share`` of the time waited so far if that is longer. A connection that is
        refused counts as false.
        """
        began = time.monotonic()
        while True:
            try:
                if answer := condition():
                    return answer
            except requests.ConnectionError:
                pass
            waited = time.monotonic() - began
            if waited > timeout:
                said = message if isinstance(message, str) else message()
                raise AssertionError(f"waited {timeout:.0f} s in vain until {said}")
            time.sleep(max(interval, share * waited))

    def _share_servers(self) -> None:
        shared = StateDir.at(Path(".local")).servers
        shared.mkdir(parents=True, exist_ok=True)
        self.state.root.mkdir(parents=True, exist_ok=True)
        if not self.state.servers.exists():
            self.state.servers.symlink_to(shared)


class FakeYouTube:
    """The control API of the fake YouTube. The README of infra/local/fake_youtube describes it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def control(self, name: str, body: Any = None, method: str | None = None) -> dict[str, Any]:
        """Sends a request: GET without a body, POST with one, or another ``method``."""
        method = method or ("GET" if body is None else "POST")
        answer = requests.request(method, f"{self.url}/_control/{name}", json=body, timeout=_REQUEST_SECONDS)
        if answer.status_code != 200:
            raise StackError(
                f"{method} /_control/{name}: expected 200, found {answer.status_code}: {answer.text}"
            )
        return dict(answer.json())

    def reset(self, *what: str) -> None:
        """Resets all settings, faults and counts, or only those that are named."""
        self.control("reset", {"what": list(what)} if what else {})

    def latency(self, **seconds: Any) -> None:
        self.control("latency", seconds)

    def fault(self, kind: str, **rule: Any) -> str:
        """Adds a rule. Returns its id."""
        return str(self.control("faults", {"kind": kind, **rule})["ids"][0])

    def clear_faults(self) -> None:
        self.control("faults", method="DELETE")

    def stats(self) -> dict[str, Any]:
        """The requests and bytes of each endpoint and each video."""
        return self.control("stats")

    def define(self, **content: Any) -> None:
        """Adds ``videos=[…]``, ``playlists=[…]``, ``subscriptions={user: [title]}``."""
        self.control("playlists", content)

    def prepare(self, video_ids: Sequence[str]) -> None:
        """Generates these videos now, so that later requests need not wait for that."""
        for first in range(0, len(video_ids), 500):
            self.control("prepare", {"videos": video_ids[first : first + 500]})


def remove_abandoned() -> None:
    """Stops the runs of test sessions that were killed, and removes their state directories."""
    for directory in _DIRECTORY.glob("*-*") if _DIRECTORY.is_dir() else ():
        owner = directory.name.split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            environment = {**os.environ, "LOCAL_STATE_DIR": str(directory)}
            command = [str(ROOT / "emulators.sh"), "down"]
            subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)
            shutil.rmtree(directory, ignore_errors=True)
