"""The function `web`: the page and all routes at one origin, as the gateway of a local run serves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local.gateway.gateway import HEADERS_FILE
from infra.pipeline import load_pipeline
from infra.staging import ROOT
from shared.config import Config
from shared.page import TYPES, is_api, security_headers
from shared.web.page import Page
from tests.unit.functions import client, endpoints

HEADERS = security_headers(HEADERS_FILE, Config())


@pytest.fixture(scope="module")
def web() -> Any:
    return client("web")


def test_each_route_of_each_function_is_served_once() -> None:
    pipeline = load_pipeline(Config())
    expected = [
        route for function in pipeline.functions if function.routes for route in endpoints(function.name)
    ]
    assert sorted(endpoints("web")) == sorted(expected)
    assert len(set(expected)) == len(expected) > 10


@pytest.mark.parametrize("file", sorted(path.name for path in (ROOT / "frontend").iterdir()))
def test_each_file_of_the_page_is_served(file: str, web: Any) -> None:
    answer = web.get(f"/{file}")
    assert (answer.status_code, answer.data) == (200, (ROOT / "frontend" / file).read_bytes())
    assert answer.headers["Content-Type"] == TYPES[Path(file).suffix]
    assert HEADERS.items() <= dict(answer.headers).items()
    etag = answer.headers["ETag"]
    assert "Last-Modified" not in answer.headers
    assert web.get(f"/{file}", headers={"If-None-Match": etag}).status_code == 304
    assert web.get(f"/{file}", headers={"If-None-Match": '"another"'}).status_code == 200
    head = web.head(f"/{file}")
    assert (head.data, head.headers["Content-Length"]) == (b"", str(len(answer.data)))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nosuch", 404),
        ("GET", "/%2e%2e/infra/headers.json", 404),
        ("GET", "/..%2fREADME.md", 404),
        ("GET", "//etc/passwd", 404),
        ("GET", "/%00", 404),
        ("GET", "/" + "a" * 5000, 404),
        ("POST", "/", 405),
        ("DELETE", "/app.js", 405),
        ("GET", "/api", 404),
        ("GET", "/api/", 404),
        ("GET", "/api/app.js", 404),
        ("PUT", "/api/me", 405),
        ("GET", "/api/me", 401),
        ("POST", "/api/index", 401),
        ("GET", "/api/search/export", 401),
    ],
)
def test_everything_else_is_a_problem(method: str, path: str, status: int, web: Any) -> None:
    answer = web.open(path, method=method)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["status"] == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Permissions-Policy"] == HEADERS["Permissions-Policy"]


def test_an_answer_of_a_function_keeps_its_own_policy(web: Any) -> None:
    answer = web.get("/api/me")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Cache-Control"] == "no-store"


def test_hidden_files_and_other_kinds_are_not_served(tmp_path: Path) -> None:
    for name in ("index.html", ".env.json", "a/b.css", ".git/x.txt", "notes.md", "run.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    page = Page(tmp_path, {})
    assert set(page._files) == {"/index.html", "/a/b.css"}


def test_a_changed_file_of_the_same_length_and_time_has_another_etag(tmp_path: Path) -> None:
    """All files of a deployed archive have the same time."""
    tags = set()
    for content in ("one", "two"):
        (tmp_path / "a.txt").write_text(content)
        tags.add(Page(tmp_path, {})._files["/a.txt"].etag)
    assert len(tags) == 2


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/me", "/mcp", "/mcp/"])
def test_paths_of_the_functions(path: str) -> None:
    assert is_api(path)


@pytest.mark.parametrize("path", ["/", "/apis", "/api.js", "/x/api/me", "/mcps", ""])
def test_paths_of_files(path: str) -> None:
    assert not is_api(path)
