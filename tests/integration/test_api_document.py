"""The API's document against a whole local run: what it says is true, and a client made of it works.

Schemathesis makes requests of the document: its examples, values at the bounds of each declaration, and
random ones, for two people. Both ask for things of the first one.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from infra.staging import ROOT
from tests.stack import Stack

PLAYLIST, NOTE = "PLgen-3-documented-short", "Annas Notiz"
ANNA, BERT = f"anna-{uuid4().hex[:8]}", f"bert-{uuid4().hex[:8]}"
_BIN = Path(sys.executable).parent
_CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "reveals_nothing_of_another_person"),
)
_GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Owned:
    """The ids of what a person has, by the name of the variable of a path; and words of that person alone."""

    ids: dict[str, str]
    words: list[str]


@pytest.fixture(scope="module")
def owned(stack: Stack) -> Owned:
    user = ANNA
    job_id = stack.index(PLAYLIST, user)
    assert stack.finish(job_id, user)["state"] == "done"
    video_id = next(each["video_id"] for each in stack.search("", user)["hits"])
    clip = {"video_id": video_id, "from_line": 0, "to_line": 0, "note": NOTE}
    made = {
        name: stack.post(path, user, json=body).json()
        for name, path, body in (
            ("clip", "/api/clips", clip),
            ("search", "/api/searches", {"query": "q=annas-query"}),
            ("collection", "/api/collections", {"title": "Annas Sammlung"}),
            ("link", "/api/links", {"playlist_id": PLAYLIST}),
        )
    }
    ids = {
        "job_id": job_id,
        "video_id": video_id,
        "playlist_id": PLAYLIST,
        "clip_id": made["clip"]["id"],
        "search_id": made["search"]["id"],
        "collection_id": made["collection"]["playlist_id"],
        "link_id": made["link"]["id"],
        "token_id": stack.get("/api/tokens", user).json()["tokens"][0]["token_id"],
    }
    return Owned(ids, [NOTE, "annas-query", "Annas Sammlung", job_id, ids["clip_id"]])


@pytest.mark.parametrize(
    ("user", "options"),
    [
        (ANNA, ["--phases", "examples,coverage,fuzzing", "--max-examples", "2"]),
        (BERT, ["--phases", "examples,fuzzing", "--max-examples", "2"]),
    ],
    ids=["anna", "bert"],
)
def test_no_request_is_answered_otherwise_than_the_document_says(
    user: str,
    options: list[str],
    stack: Stack,
    owned: Owned,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    secret = [] if user == ANNA else owned.words
    # Other methods are in bad_inputs.py.
    (tmp_path / "schemathesis.toml").write_text("[phases.coverage]\nunexpected-methods = []\n")
    command = [
        *(f"{_BIN}/schemathesis", "run", f"{stack.url}/api/openapi.json", *options),
        *("--header", f"Authorization: Bearer {stack.token(user)}"),
        # They end the account or the session with which the others ask; and files of megabytes.
        *("--exclude-path", "/api/me", "--exclude-path-regex", "^/api/(login|logout|docs)"),
        # One, because Hypothesis keeps the sources of functions in a dictionary without a lock.
        *("--workers", "1", "--seed", "25", "--request-timeout", "30"),
        *("--continue-on-failure", "--no-color", "--checks", ",".join(_CHECKS)),
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.document_hooks",
            "DOCUMENT_IDS": json.dumps(owned.ids),
            "DOCUMENT_SECRETS": json.dumps(secret),
        },
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    record_property("report", f"schemathesis, {user}: {_summary(done.stdout)}")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def _summary(report: str) -> str:
    """What was tested, and how many cases failed."""
    kept = [
        line.strip() for line in report.splitlines() if re.search(r"\d generated|Tested:|=== .* in ", line)
    ]
    return " · ".join(kept)


def _blocks(language: str, stack: Stack) -> list[str]:
    """The commands of docs/api.md, for this run."""
    found = re.findall(rf"```{language}\n(.*?)```", _GUIDE, re.DOTALL)
    return [each.replace("http://localhost:8080", stack.url) for each in found]


def _run(command: list[str], directory: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=directory,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_of_the_guide_work(stack: Stack, tmp_path: Path) -> None:
    shell, _ = _blocks("sh", stack)
    (python,) = _blocks("python", stack)
    (tmp_path / "emulators.sh").symlink_to(ROOT / "emulators.sh")
    said = _run(["bash", "-euo", "pipefail", "-c", shell], tmp_path, **stack.environment)
    assert '"match":true' in said
    assert "[0:0" in said
    assert "happens to be wet" in (tmp_path / "hits.csv").read_text(encoding="utf-8")
    printed = _run([sys.executable, "-c", f"TOKEN = {stack.token()!r}\n{python}"], tmp_path).splitlines()
    assert "happens to be wet" in printed[0]
    assert printed[-1] == "404 There is no such job."


@pytest.fixture(scope="module")
def client(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A client that was generated as docs/api.md says."""
    directory = tmp_path_factory.mktemp("client")
    _, generate = _blocks("sh", stack)
    _run(["bash", "-c", generate], directory, PATH=f"{_BIN}:{os.environ['PATH']}")
    sys.path.insert(0, str(directory))
    try:
        api = "yts_client.api"
        yield SimpleNamespace(
            AuthenticatedClient=import_module("yts_client").AuthenticatedClient,
            NewJob=import_module("yts_client.models").NewJob,
            start_job=import_module(f"{api}.index.start_job").sync,
            show_job=import_module(f"{api}.jobs.show_job").sync,
            search_library=import_module(f"{api}.search.search_library").sync,
            show_video=import_module(f"{api}.videos.show_video").sync,
        )
    finally:
        sys.path.remove(str(directory))


def test_a_generated_client_indexes_follows_searches_and_reads(client: SimpleNamespace, stack: Stack) -> None:
    user = "document-client"
    yts: Any = client.AuthenticatedClient(stack.url, stack.token(user), raise_on_unexpected_status=True)
    with yts:
        _story(client, yts, user, stack)


def _story(client: SimpleNamespace, yts: Any, user: str, stack: Stack) -> None:
    started = client.start_job(client=yts, body=client.NewJob(playlist=PLAYLIST))

    def over() -> Any:
        job = client.show_job(started.job_id, client=yts)
        return job if job.state in ("done", "failed", "cancelled") else None

    job = stack.wait_for(over, 60, "the job ends")
    assert (job.state, job.total, job.counts.additional_properties["indexed"]) == ("done", 3, 3)
    said = stack.get(f"/api/videos/{stack.search('', user)['hits'][0]['video_id']}", user).json()["lines"][0][
        "text"
    ]
    found = client.search_library(client=yts, q=f'"{said}"', limit=5)
    moment = found.hits[0].moments[0]
    assert said in "".join(each.text for each in moment.snippet)
    video = client.show_video(found.hits[0].video_id, client=yts)
    assert video.lines[moment.line].start == moment.start
    problem = client.show_video("no-such-one", client=yts)
    assert (problem.status, problem.detail) == (404, "There is no such video in your library.")
