"""`./emulators.sh` from the outside: its commands, and what it does with processes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import requests

from infra.local import processes
from infra.local.state_dir import ROOT
from infra.pipeline import load_pipeline
from shared.config import Config
from tests.stack import Stack

SERVERS = {"pubsub", "firestore", "elasticsearch", "youtube"}
FUNCTIONS = {function.name for function in load_pipeline(Config.from_env({})).functions}
#: A word in each language and what its analyzer makes of it: proof of the language's own stemming.
STEMS = {
    "arabic": ("كتابان", "كتاب"),
    "armenian": ("քաղաքների", "քաղ"),
    "basque": ("etxeak", "etxe"),
    "bengali": ("বইগুলো", "বই"),
    "brazilian": ("correndo", "corr"),
    "bulgarian": ("книгите", "книг"),
    "catalan": ("llibres", "llibr"),
    "czech": ("knihami", "knih"),
    "danish": ("bøgerne", "bøg"),
    "dutch": ("boeken", "boek"),
    "english": ("running", "run"),
    "estonian": ("raamatud", "raama"),
    "finnish": ("kirjoissa", "kirj"),
    "french": ("cheveux", "cheveu"),
    "galician": ("bibliotecas", "bibliotec"),
    "german": ("häuser", "haus"),
    "greek": ("βιβλία", "βιβλ"),
    "hindi": ("किताबें", "किताब"),
    "hungarian": ("könyvek", "könyv"),
    "indonesian": ("membaca", "baca"),
    "irish": ("fhearaibh", "fear"),
    "italian": ("ragazzi", "ragazz"),
    "latvian": ("grāmatas", "grāmat"),
    "lithuanian": ("knygomis", "knyg"),
    "norwegian": ("bøkene", "bøk"),
    "persian": ("کتاب", "كتاب"),
    "portuguese": ("livros", "livr"),
    "romanian": ("cărțile", "cărț"),
    "russian": ("книгами", "книг"),
    "serbian": ("књига", "knjig"),
    "sorani": ("کتێبەکان", "کتێب"),
    "spanish": ("libros", "libr"),
    "swedish": ("böckerna", "böck"),
    "turkish": ("kitaplar", "kitap"),
}


@pytest.mark.parametrize("language", sorted(STEMS))
def test_elasticsearch_knows_the_language(language: str, stack: Stack) -> None:
    word, stem = STEMS[language]
    assert _analyzed(stack, language, word) == [stem]


def test_elasticsearch_splits_what_has_no_spaces(stack: Stack) -> None:
    assert _analyzed(stack, "cjk", "図書館") == ["図書", "書館"]
    assert len(_analyzed(stack, "thai", "ห้องสมุดสาธารณะ")) > 1


def _analyzed(stack: Stack, analyzer: str, text: str) -> list[str]:
    body = {"analyzer": analyzer, "text": text}
    answer = requests.post(f"{stack.elasticsearch}/_analyze", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return [token["token"] for token in answer.json()["tokens"]]


def test_every_component_is_listed_and_runs(stack: Stack) -> None:
    components = stack.components()
    assert set(components) == SERVERS | FUNCTIONS | {"delivery", "gateway"}
    assert {component["state"] for component in components.values()} == {"running"}
    assert all(psutil.pid_exists(component["pid"]) for component in components.values())
    assert components["gateway"]["port"] == stack.port
    for component in components.values():
        socket.create_connection(("127.0.0.1", component["port"]), timeout=5).close()


def test_the_page_and_the_api_are_at_one_origin(stack: Stack) -> None:
    assert stack.get("/", user=None).headers["Content-Type"].startswith("text/html")
    assert stack.get("/api/health", user=None).status_code == 200
    assert stack.get("/api/jobs", user=None).status_code == 401


def test_what_must_not_be_reached_from_other_machines_is_not(stack: Stack) -> None:
    pids = {process.pid for process in processes.marked(stack.state)}
    listening = [
        connection.laddr
        for connection in psutil.net_connections("tcp")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    ]
    assert listening
    addresses = {address[0].removeprefix("::ffff:") for address in listening if address}
    assert addresses <= {"127.0.0.1", "::1"}


def test_a_token_is_the_users_own(stack: Stack) -> None:
    token = stack.command("token", "ada").stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = stack.get("/api/me", user=None, headers=headers)
    assert answer.json()["user_id"] == "ada"


def test_index_and_search_from_the_command_line(stack: Stack) -> None:
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
    # One that is good no more is replaced without a word.
    kept.write_text("yts_revoked")
    assert json.loads(stack.command("search", "--json", "--user", "cli", "the").stdout)["total"] > 0


def test_an_address_of_a_playlist_will_do(stack: Stack) -> None:
    address = "https://www.youtube.com/watch?v=abc&list=PLgen-2-address-short&index=1"
    assert stack.command("index", address, "--user", "cli").returncode == 0


@pytest.mark.parametrize(
    ("playlist", "said"), [("PLdoes-not-exist", "job is failed: "), ("not a playlist", "playlist")]
)
def test_what_cannot_be_indexed_is_no_success(playlist: str, said: str, stack: Stack) -> None:
    result = stack.command("index", playlist, "--user", "cli", check=False)
    assert result.returncode == 1
    assert said in result.stdout + result.stderr


def test_logs_of_one_and_of_all(stack: Stack) -> None:
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


def test_up_again_leaves_it_as_it_is(stack: Stack) -> None:
    before = stack.components()
    assert f"Running already: http://localhost:{stack.port}" in stack.command("up", "--detach").stdout
    assert stack.components() == before


@pytest.fixture(scope="module")
def own_stack() -> Iterator[Stack]:
    """One whose components may be killed."""
    stack = Stack()
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", ["pubsub", "elasticsearch", "youtube", "account", "search", "fetcher", "delivery", "gateway"]
)
def test_what_dies_is_started_again_on_its_port(name: str, own_stack: Stack) -> None:
    before = own_stack.components()[name]
    own_stack.kill(name)

    def back() -> bool:
        now = own_stack.components()[name]
        return bool(now["state"] == "running" and now["pid"] != before["pid"])

    own_stack.wait_for(back, 120, f"{name} runs again")
    assert own_stack.components()[name]["port"] == before["port"]
    job = own_stack.finish(own_stack.index(f"PLgen-1-{name}-short"))
    assert job["counts"]["indexed"] == 1


@pytest.mark.timeout(400)
def test_a_crash_of_firestore_loses_less_than_a_minute(own_stack: Stack) -> None:
    directory = own_stack.state.data / "firestore"
    kept = own_stack.index("PLgen-3-saved-short", "keeper")
    own_stack.finish(kept, "keeper")

    def exports() -> str:
        latest = directory / "latest"
        return latest.read_text() if latest.exists() else ""

    before = exports()
    own_stack.wait_for(lambda: exports() != before, 60, "the library is saved")
    saved = exports()
    own_stack.kill("firestore")
    own_stack.wait_for(
        lambda: own_stack.components()["firestore"]["state"] == "running", 120, "firestore runs again"
    )
    assert own_stack.job(kept, "keeper")["state"] == "done"
    again = own_stack.finish(own_stack.index("PLgen-3-saved-short", "keeper"), "keeper")
    assert again["reused"] == 3
    # It goes on being saved, from what it was.
    own_stack.wait_for(lambda: exports() != saved, 60, "the library is saved again")


@pytest.mark.timeout(300)
def test_what_nobody_changes_is_not_written_again(own_stack: Stack) -> None:
    latest = own_stack.state.data / "firestore" / "latest"

    def unchanged_for_an_export() -> bool:
        before = latest.read_text()
        # The interval, and what an export takes.
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if latest.read_text() != before:
                return False
            time.sleep(0.5)
        return True

    own_stack.wait_for(unchanged_for_an_export, 200, "an idle run saves nothing")


def test_a_taken_port_is_named_with_its_holder(new_stack: Callable[..., Stack]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        other = new_stack()
        other.environment["PORT"] = str(taken)
        result = other.command("up", "--detach", check=False)
    assert result.returncode == 1
    assert re.search(rf"PORT: {taken} is taken by .*pid {os.getpid()}", result.stdout)
    assert processes.marked(other.state) == []


@pytest.mark.timeout(400)
def test_servers_that_are_set_are_used_and_left_running(
    stack: Stack, new_stack: Callable[..., Stack]
) -> None:
    before = stack.components()
    other = new_stack(
        PUBSUB_EMULATOR_HOST=stack.pubsub,
        FIRESTORE_EMULATOR_HOST=stack.firestore,
        ELASTICSEARCH_URL=stack.elasticsearch,
        ELASTICSEARCH_INDEX_PREFIX="guest",
        GOOGLE_CLOUD_PROJECT="guest-project",
    )
    other.start()
    components = other.components()
    assert {components[name]["pid"] for name in ("pubsub", "firestore", "elasticsearch")} == {None}
    assert components["elasticsearch"]["port"] == before["elasticsearch"]["port"]
    job = other.finish(other.index("PLgen-5-guest-short", "guest"), "guest")
    assert job["counts"]["indexed"] == 5
    other.down()
    assert stack.components() == before


@pytest.fixture
def foreground(new_stack: Callable[..., Stack]) -> Iterator[tuple[Stack, subprocess.Popen[str]]]:
    """`up` without --detach, until its address is shown."""
    stack = new_stack()
    command = [str(ROOT / "emulators.sh"), "up", "--no-sample"]
    process = subprocess.Popen(
        command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield stack, process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def _read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"expected {text!r}, found {said}")


def _gone(stack: Stack) -> bool:
    return not processes.marked(stack.state) and processes.port_is_free(stack.port)


@pytest.mark.timeout(400)
def test_ctrl_c_leaves_nothing_behind_and_the_library_is_kept(
    foreground: tuple[Stack, subprocess.Popen[str]],
) -> None:
    stack, process = foreground
    said = _read_until(process, "Ctrl-C stops it")
    assert re.search(rf"http://localhost:{stack.port}/#token=yts_", said)
    stack.finish(stack.index("PLgen-3-kept-short"))
    supervisor = stack.supervisor()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert _gone(stack)
    assert supervisor is not None
    assert not psutil.pid_exists(supervisor)
    assert list((stack.state.data / "firestore").glob("export-*/*.overall_export_metadata"))
    assert stack.command("status", check=False).returncode == 3


@pytest.mark.timeout(400)
def test_a_foreground_run_goes_with_its_terminal(foreground: tuple[Stack, subprocess.Popen[str]]) -> None:
    stack, process = foreground
    _read_until(process, "up port")
    process.kill()
    stack.wait_for(lambda: _gone(stack), 60, "nothing of the run is left")


@pytest.mark.timeout(400)
def test_what_a_killed_supervisor_left_is_stopped_by_down_and_nothing_else(
    new_stack: Callable[..., Stack],
) -> None:
    stack = new_stack()
    stack.start()
    supervisor = stack.supervisor()
    assert supervisor is not None
    os.kill(supervisor, signal.SIGKILL)
    stack.wait_for(lambda: not psutil.pid_exists(supervisor), 10, "it is gone")
    # A pid that the dead supervisor's file names now, and that is somebody else's.
    stack.state.pid_file.write_text(f"{os.getpid()}\n")
    assert len(processes.marked(stack.state)) > len(FUNCTIONS)
    assert "Stopped" in stack.command("down").stdout
    assert _gone(stack)


def test_it_works_from_anywhere_and_through_a_link(stack: Stack, tmp_path: Path) -> None:
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
