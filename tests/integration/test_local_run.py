"""`./emulators.sh` from the outside: its commands, its processes and its ports."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from infra.local.state_dir import ROOT
from infra.local.supervisor import processes
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.foreground import in_the_foreground, is_gone
from tests.stack import Stack

SERVERS = {"pubsub", "firestore", "elasticsearch", "youtube"}
FUNCTIONS = {function.name for function in load_pipeline(Config.from_env({})).functions}


def test_status_lists_every_component_as_running(stack: Stack) -> None:
    components = stack.components()
    assert json.loads(stack.command("status", "--json").stdout) == list(components.values())
    assert set(components) == SERVERS | FUNCTIONS | {"delivery", "gateway"}
    assert {component["state"] for component in components.values()} == {"running"}
    assert all(psutil.pid_exists(component["pid"]) for component in components.values())
    assert components["gateway"]["port"] == stack.port
    for component in components.values():
        socket.create_connection(("127.0.0.1", component["port"]), timeout=5).close()


def test_the_page_and_the_api_have_one_origin(stack: Stack) -> None:
    assert stack.get("/", user=None).headers["Content-Type"].startswith("text/html")
    assert stack.get("/api/health", user=None).status_code == 200
    assert stack.get("/api/jobs", user=None).status_code == 401


def test_no_component_can_be_reached_from_other_machines(stack: Stack) -> None:
    pids = {process.pid for process in processes.marked(stack.state)}
    listening = [
        connection.laddr
        for connection in psutil.net_connections("tcp")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    addresses = {address[0].removeprefix("::ffff:") for address in listening if address}
    assert addresses <= {"127.0.0.1", "::1"}


def test_a_token_belongs_to_its_user(stack: Stack) -> None:
    token = stack.command("token", "ada").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = stack.get("/api/me", user=None, headers=headers)
    assert answer.json()["user_id"] == "ada"


def test_index_and_search_print_what_they_found(stack: Stack) -> None:
    indexed = stack.command("index", "PLgen-12-cli-short-mixed", "--user", "cli")
    assert re.search(r"12 of 12 videos", indexed.stdout)
    assert re.search(r"12 videos in \d+ s: \d+ indexed", indexed.stdout)
    found = json.loads(stack.command("search", "--json", "--user", "cli", "the").stdout)
    assert found["total"] > 0
    shown = stack.command("search", "the", "--user", "cli").stdout
    assert re.search(r"^  \d:\d\d:\d\d  .*\*the\*", shown, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"https?://\S+", shown)
    kept = stack.state.secrets / "token-cli"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    # A kept token that is no longer valid is replaced.
    kept.write_text("yts_revoked")
    assert json.loads(stack.command("search", "--json", "--user", "cli", "the").stdout)["total"] > 0


def test_index_takes_the_address_of_a_playlist(stack: Stack) -> None:
    address = "https://www.youtube.com/watch?v=abc&list=PLgen-2-address-short&index=1"
    assert stack.command("index", address, "--user", "cli").returncode == 0


@pytest.mark.parametrize(
    ("playlist", "message"), [("PLdoes-not-exist", "The job failed: "), ("not a playlist", "playlist")]
)
def test_a_playlist_that_cannot_be_indexed_is_a_failure(playlist: str, message: str, stack: Stack) -> None:
    result = stack.command("index", playlist, "--user", "cli", check=False)
    assert result.returncode == 1
    assert message in result.stdout + result.stderr


def test_logs_shows_one_log_or_all_and_follows(stack: Stack) -> None:
    assert "elasticsearch " in stack.command("logs").stdout
    assert "up port" in stack.command("logs", "supervisor").stdout
    command = [str(ROOT / "emulators.sh"), "logs", "delivery", "-f"]
    with subprocess.Popen(command, env=stack.environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        seen = threading.Event()
        lines = following.stdout

        def read() -> None:
            for line in lines:
                if "PLgen-1-followed-short" in line or "planner" in line:
                    seen.set()

        reader = threading.Thread(target=read)
        reader.start()
        stack.finish(stack.index("PLgen-1-followed-short", "cli"), "cli")
        assert seen.wait(20)
        following.terminate()
        reader.join()


def test_a_second_up_changes_nothing(stack: Stack) -> None:
    before = stack.components()
    assert f"Already running: http://localhost:{stack.port}" in stack.command("up", "--detach").stdout
    assert stack.components() == before


def test_a_port_in_use_is_an_error_that_names_the_holder(new_stack: Callable[..., Stack]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        other = new_stack()
        other.environment["PORT"] = str(taken)
        result = other.command("up", "--detach", check=False)
    assert result.returncode == 1
    assert re.search(rf"PORT: {taken} is in use by .*pid {os.getpid()}", result.stdout)
    assert processes.marked(other.state) == []


@pytest.mark.timeout(400)
def test_a_run_in_the_foreground_uses_other_servers_leaves_them_running_and_ends_with_its_terminal(
    stack: Stack, new_stack: Callable[..., Stack]
) -> None:
    before = stack.components()
    other = new_stack(
        PUBSUB_EMULATOR_HOST=stack.pubsub,
        FIRESTORE_EMULATOR_HOST=stack.firestore,
        ELASTICSEARCH_URL=stack.elasticsearch,
        ELASTICSEARCH_INDEX_PREFIX="guest",
        GOOGLE_CLOUD_PROJECT="guest-project",
        EMBEDDER="off",
    )
    with in_the_foreground(other) as (terminal, _):
        components = other.components()
        assert {components[name]["pid"] for name in ("pubsub", "firestore", "elasticsearch")} == {None}
        assert components["elasticsearch"]["port"] == before["elasticsearch"]["port"]
        job = other.finish(other.index("PLgen-5-guest-short", "guest"), "guest")
        assert job["counts"]["indexed"] == 5
        terminal.kill()
        other.wait_for(lambda: is_gone(other), 90, "all processes of the run are gone")
    assert stack.components() == before


def test_the_script_works_from_any_directory_and_through_a_link(stack: Stack, tmp_path: Path) -> None:
    link = tmp_path / "yts"
    link.symlink_to(ROOT / "emulators.sh")
    began = time.monotonic()
    result = subprocess.run(
        [str(link), "status"],
        cwd=tmp_path,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"http://localhost:{stack.port}" in result.stdout
    assert time.monotonic() - began < 30
