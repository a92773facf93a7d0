"""Every function starts from its staged directory alone, in an empty environment."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from infra.local.supervisor.ports import free_ports
from infra.pipeline import Function, load_pipeline
from infra.staging import ROOT, StagingError, functions, stage
from shared.config import Config
from tests.integration.staged_functions import ANSWER, running

PIPELINE = load_pipeline(Config.from_env({}))
#: A request for each HTTP function that needs more than its code. Without configuration none can succeed.
_REQUESTS = {
    "index": ("POST", "/api/index"),
    "jobs": ("GET", "/api/jobs"),
    "library": ("GET", "/api/playlists"),
    "search": ("GET", "/api/search?q=x"),
    "account": ("GET", "/api/me"),
    "health": ("GET", "/api/health"),
    "sweep": ("POST", "/"),
    "reindex": ("POST", "/"),
    "refresh": ("POST", "/"),
    "keep": ("GET", "/api/clips"),
    "mcp": ("POST", "/mcp"),
}
_BODY = {"playlist": "PLabcdefghijk"}
_TRACEBACK = re.compile(r"Traceback|File \"|\.py\b|site-packages")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a function, and what the function has logged."""

    status: int
    text: str
    content_type: str
    log: str


def _ask(function: Function, port: int) -> requests.Response:
    url = f"http://127.0.0.1:{port}"
    if function.trigger == "http":
        method, path = _REQUESTS[function.name]
        return requests.request(method, url + path, json=_BODY, timeout=ANSWER)
    data = base64.b64encode(json.dumps({"job_id": "a", "video_id": "b", "playlist_id": "PLx"}).encode())
    # A push, as Pub/Sub sends it to a function that is deployed for HTTP.
    body = {
        "message": {"data": data.decode(), "messageId": "1"},
        "subscription": "projects/p/subscriptions/s",
    }
    return requests.post(url, json=body, timeout=ANSWER)


def _start_and_ask(function: Function, directory: Path, port: int) -> Answer:
    with running(function.name, directory, port, {}) as log:
        answer = _ask(function, port)
        return Answer(
            answer.status_code, answer.text, answer.headers.get("Content-Type", ""), log.read_text()
        )


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Answer]]]:
    """The answers of all functions. Three start at the same time, because each imports the SDKs."""
    root = tmp_path_factory.mktemp("staged")
    ports = free_ports(len(PIPELINE.functions))
    with ThreadPoolExecutor(3) as pool:
        yield {
            function.name: pool.submit(_start_and_ask, function, root / function.name, port)
            for function, port in zip(PIPELINE.functions, ports, strict=True)
        }


def test_the_pipeline_lists_every_folder_of_functions_and_no_other() -> None:
    # `web` stands apart: in the cloud it may take the place of the functions with routes.
    assert functions() == sorted(["web", *(function.name for function in PIPELINE.functions)])
    assert functions() == sorted(path.name for path in (ROOT / "functions").iterdir() if path.is_dir())


@pytest.mark.parametrize("function", PIPELINE.functions, ids=lambda function: function.name)
def test_a_staged_function_starts_in_an_empty_environment_and_says_what_is_missing(
    function: Function, answers: dict[str, Future[Answer]]
) -> None:
    answer = answers[function.name].result()
    assert not _TRACEBACK.search(answer.text), answer.text
    if function.trigger == "pubsub":
        # Without configuration nothing can have been done. So the message must not be acked.
        assert answer.status >= 400, answer
        return
    if function.name == "reindex":
        # It sends its status before the work, because it streams its progress.
        assert answer.status == 200
        assert json.loads(answer.text.splitlines()[-1]).keys() == {"error"}, answer
        return
    assert 400 <= answer.status < 500 or answer.status == 503, answer
    kind = "application/json" if function.name == "health" else "application/problem+json"
    assert answer.content_type == kind
    assert "a defect" not in answer.log


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of `web`, staged, with what Google's platform and the deployment give it and nothing else.

    Its servers do not exist, so it can answer only what needs none of them.
    """
    (port,) = free_ports(1)
    environment = {
        "K_SERVICE": "web",
        "GOOGLE_CLOUD_PROJECT": "a-real-project",
        "PUBLIC_URL": "https://web-123.a.run.app",
        "ELASTICSEARCH_URL": "http://127.0.0.1:9",
        "GOOGLE_OAUTH_CLIENT_ID": "123.apps.googleusercontent.com",
        "GOOGLE_OAUTH_CLIENT_SECRET": "GOCSPX-of-a-test",
        "GRANT_ENCRYPTION_KEYS": "A" * 43 + "=",
        "YOUTUBE_API_KEY": "AIza-of-a-test",
    }
    with running("web", tmp_path_factory.mktemp("web") / "web", port, environment):
        yield f"http://127.0.0.1:{port}"


_POLICY = "default-src 'none'; script-src 'self'"


def test_the_staged_web_serves_the_page(web: str) -> None:
    page = requests.get(web, timeout=ANSWER)
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.content == (ROOT / "frontend" / "index.html").read_bytes()
    assert page.headers["Content-Security-Policy"].startswith(_POLICY)
    assert "frame-src https://www.youtube-nocookie.com;" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-cache"
    script = requests.get(f"{web}/app.js", timeout=ANSWER)
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    again = requests.get(f"{web}/app.js", headers={"If-None-Match": script.headers["ETag"]}, timeout=ANSWER)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/../main.py", "/main.py", "/shared/config.py", "/.git", "/nosuch.js"])
def test_the_staged_web_serves_no_other_file(path: str, web: str) -> None:
    session = requests.Session()
    prepared = session.prepare_request(requests.Request("GET", web))
    prepared.url = web + path  # As it is: a client would drop the dots.
    answer = session.send(prepared, timeout=ANSWER)
    session.close()
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


def test_the_staged_web_serves_the_routes_of_all_functions(web: str) -> None:
    health = requests.get(f"{web}/api/health", timeout=ANSWER)
    assert health.status_code == 503
    assert set(health.json()["dependencies"]) == {"firestore", "pubsub", "elasticsearch"}
    for function in PIPELINE.functions:
        if function.routes and function.name != "health":
            method, path = _REQUESTS[function.name]
            answer = requests.request(method, web + path, json=_BODY, timeout=ANSWER)
            assert answer.status_code == 401, (path, answer.text)
            assert answer.json()["sign_in"] == "/api/login"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert answer.headers["Cache-Control"] == "no-store"
    for method, path, status in (
        ("GET", "/api/nosuch", 404),
        ("GET", "/api", 404),
        ("POST", "/", 405),
        ("GET", "/api/index", 405),
    ):
        assert requests.request(method, web + path, timeout=ANSWER).status_code == status, path


def test_a_staged_directory_holds_the_function_and_the_shared_code(tmp_path: Path) -> None:
    stage("index", tmp_path / "new" / "index")
    found = {path.relative_to(tmp_path / "new/index").as_posix() for path in tmp_path.rglob("*.*")}
    assert {"main.py", "requirements.txt", "shared/__init__.py", "shared/pipeline/jobs.py"} <= found
    assert all(name.endswith((".py", ".txt")) for name in found), found


def test_staging_removes_what_was_staged_before(tmp_path: Path) -> None:
    stage("index", tmp_path)
    (tmp_path / "shared" / "gone.py").write_text("")
    stage("jobs", tmp_path)
    assert not (tmp_path / "shared" / "gone.py").exists()
    assert (tmp_path / "main.py").read_text() == (ROOT / "functions/jobs/main.py").read_text()


@pytest.mark.parametrize("name", ["nosuch", "", "..", "../shared", "index/../jobs", "/etc"])
def test_a_name_that_is_no_function_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="expected a function"):
        stage(name, tmp_path)


def test_a_directory_with_other_files_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(StagingError, match=r"thesis\.tex"):
        stage("index", tmp_path)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_the_command_line_prints_the_directory_or_fails(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "infra.staging", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    made = run("health", str(tmp_path / "health"))
    assert (made.returncode, made.stdout) == (0, f"{tmp_path / 'health'}\n")
    assert run("nosuch", str(tmp_path)).returncode == 1
    assert run("health").returncode == 2
