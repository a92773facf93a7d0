"""The library as files, over HTTP and from the command line, from a whole local run."""

from __future__ import annotations

import contextlib
import io
import json
import re
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import webvtt
import yaml

from infra.local.cli.api import Api
from infra.local.cli.export import export
from infra.local.fake_youtube.library import generate
from infra.local.state_dir import ROOT
from tests.stack import Stack

pytestmark = pytest.mark.stack

#: Nobody else searches them. BOTH is a part of MAIN.
ADA, BEA = "ada-exports", "bea-exports"
MAIN, BOTH, OTHER = "PLgen-60-exported-short-mixed", "PLgen-5-exported-short-mixed", "PLgen-4-foreign-short"


@pytest.fixture(scope="module")
def library(stack: Stack) -> Stack:
    """The run, in which ada and bea have libraries."""
    jobs = [(stack.index(each, user), user) for each, user in ((MAIN, ADA), (BOTH, ADA), (OTHER, BEA))]
    found = {user: stack.finish(job_id, user)["counts"] for job_id, user in jobs}
    assert all(not counts["failed"] for counts in found.values())
    stack.wait_for(lambda: len(_ids(stack)) >= 45, 60, "all videos are found")
    return stack


def _get(stack: Stack, user: str = ADA, **asked: Any) -> requests.Response:
    """An export. The one before may not have ended yet."""

    def answered() -> requests.Response | None:
        answer = stack.get("/api/export", user, params=asked)
        return None if answer.status_code == 429 else answer

    answer = stack.wait_for(answered, 60, "the export before has ended")
    assert answer is not None
    assert answer.status_code == 200, answer.text
    return answer


def _rows(stack: Stack, user: str = ADA, **asked: Any) -> list[dict[str, Any]]:
    *rows, end = map(json.loads, _get(stack, user, format="jsonl", **asked).text.splitlines())
    assert end == {"done": True, "videos": len(rows)}
    return rows


def _ids(stack: Stack, **asked: Any) -> list[str]:
    return [row["video_id"] for row in _rows(stack, **asked)]


def _files(content: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len({name.casefold() for name in names})
        return {name: archive.read(name).decode() for name in names}


def test_json_lines_have_everything_of_every_video(library: Stack) -> None:
    rows = _rows(library)
    ids = [row["video_id"] for row in rows]
    assert ids == sorted(set(ids))
    found: list[str] = []
    page = library.search("", ADA, sort="oldest", limit=50)
    found += [hit["video_id"] for hit in page["hits"]]
    while page["cursor"]:
        page = library.search("", ADA, sort="oldest", limit=50, cursor=page["cursor"])
        found += [hit["video_id"] for hit in page["hits"]]
    assert sorted(found) == ids
    both = set(generate.playlist(BOTH).video_ids)  # type: ignore[union-attr]
    for row in rows:
        held = [each["playlist_id"] for each in row["playlists"]]
        assert sorted(held) == sorted([MAIN, BOTH] if row["video_id"] in both else [MAIN])
    row = next(row for row in rows if row["lines"])
    shown = library.get(f"/api/videos/{row['video_id']}", ADA).json()
    assert {name: row[name] for name in shown} == shown


def test_notes_are_whole_and_link_to_each_other(library: Stack) -> None:
    answer = _get(library)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="yts-markdown.zip"'
    files = _files(answer.content)
    index = files.pop("Index.md")
    rows = {row["video_id"]: row for row in _rows(library)}
    assert sorted(re.findall(r"\(<(.+?)>\)", index)) == sorted(files)
    for name, text in files.items():
        head = yaml.safe_load(text.split("---\n")[1])
        row = rows.pop(head["video_id"])
        assert name.endswith(f"({row['video_id']}).md")
        assert (head["title"], head["url"]) == (row["title"], row["url"])
        assert head["playlists"] == [each["title"] for each in row["playlists"]]
        assert text.count("&t=") >= bool(row["lines"])
    assert rows == {}


def test_subtitles_of_one_search(library: Stack) -> None:
    spoken = [row for row in _rows(library) if row["lines"]]
    language = next(row["language"] for row in spoken if row["language"] != "en")
    wanted = [row for row in spoken if row["language"] == language]
    files = _files(_get(library, format="vtt", language=language).content)
    assert len(files) == len(wanted)
    for row in wanted:
        (name,) = (each for each in files if row["video_id"] in each)
        assert name.endswith(".vtt")
        assert len(webvtt.from_buffer(io.StringIO(files[name]))) == len(row["lines"])
    assert len(_files(_get(library, format="srt", language=language).content)) == len(wanted)
    phrase = generate.phrase_of(wanted[0]["video_id"]).text
    assert _ids(library, q=f'"{phrase}"') == [wanted[0]["video_id"]]
    assert set(_ids(library, playlist=BOTH)) < set(_ids(library))


def test_only_the_own_library_is_exported(library: Stack) -> None:
    assert set(_ids(library)) & {row["video_id"] for row in _rows(library, BEA)} == set()
    assert _rows(library, BEA, playlist=MAIN) == []
    assert _rows(library, "nobody-exports") == []
    assert list(_files(_get(library, "nobody-exports").content)) == ["Index.md"]
    made = library.post("/api/links", ADA, json={"playlist_id": MAIN}).json()
    guest = {"Authorization": f"Bearer {made['url'].partition('#link=')[2]}"}
    refused = library.get("/api/export", None, headers=guest)
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")
    for asked in ("format=pdf", "cursor=a/b", "sort=up", "limit=0"):
        assert library.get(f"/api/export?{asked}", ADA).status_code == 400


def test_an_export_goes_on_after_any_video(library: Stack) -> None:
    rows = _rows(library)
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        assert _rows(library, cursor=row["video_id"]) == [
            each for each in rows if each["video_id"] > row["video_id"]
        ]


@contextmanager
def _cutting(port: int, most: int) -> Iterator[str]:
    """The URL of a proxy that closes each connection after so many bytes of its answer."""

    def pump(source: socket.socket, sink: socket.socket, left: int) -> None:
        with contextlib.suppress(OSError):
            while left > 0 and (piece := source.recv(min(left, 4096))):
                sink.sendall(piece)
                left -= len(piece)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", port))
            sockets.extend((client, server))
            for ends in ((client, server, 1 << 30), (server, client, most)):
                pumps.append(threading.Thread(target=pump, args=ends, daemon=True))
                pumps[-1].start()

    sockets: list[socket.socket] = []
    pumps: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    for pumping in pumps:
        pumping.join()
    for each in sockets:
        each.close()


@pytest.mark.parametrize("form", ["markdown", "jsonl"])
def test_cut_connections_make_the_same_file(library: Stack, form: str, tmp_path: Path) -> None:
    library.token(ADA)
    whole = _get(library, format=form).content
    with _cutting(library.port, len(whole) // 3) as url:
        api = Api(url, library.state, ADA)
        number = export(api, form, [], tmp_path / "file")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    made = (tmp_path / "file").read_bytes()
    assert number == len(_ids(library))
    assert (_files(made) == _files(whole)) if form == "markdown" else (made == whole)


def test_the_command_line_exports_a_search(library: Stack, tmp_path: Path) -> None:
    target = tmp_path / "found.zip"
    said = library.command("export", "-title:x", "--user", ADA, "--playlist", BOTH, "-o", str(target)).stdout
    assert said == f"{target}: {len(_ids(library, playlist=BOTH))} videos\n"
    assert len(_files(target.read_bytes())) == len(_ids(library, playlist=BOTH)) + 1
    missing = library.command("export", "-o", str(tmp_path / "no" / "x.zip"), check=False)
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)


def _blocks(kind: str) -> str:
    """The code of this kind in the documentation, in order."""
    text = (ROOT / "docs" / "exports.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"^```{kind}\n(.+?)^```", text, re.DOTALL | re.MULTILINE))


def test_every_command_of_the_documentation_works(library: Stack, tmp_path: Path) -> None:
    user = "docs-exports"
    library.finish(library.index("PLyts-sample-talks", user), user)
    total = library.search("", user)["total"]
    environment = library.environment | {"HOME": str(tmp_path), "YTS_TOKEN": library.token(user)}
    (tmp_path / "Vault").mkdir()

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    commands = _blocks("sh").replace("http://localhost:8080", library.url)
    for name, mine in (("export", f"export --user {user}"), ("token", f"token {user}")):
        commands = commands.replace(f"./emulators.sh {name}", f"./emulators.sh {mine}")
    *_, end = run("bash", "-euo", "pipefail", "-c", commands).splitlines()
    assert json.loads(end) == {"done": True, "videos": 0}
    assert len(list((tmp_path / "Vault" / "yts").glob("*.md"))) == total + 1
    assert zipfile.is_zipfile(tmp_path / "subtitles.zip")
    assert (tmp_path / "library.jsonl").read_text() == (tmp_path / "all.jsonl").read_text()
    assert len(_files((tmp_path / "library.zip").read_bytes())) == total + 1
    environment["YTS_URL"] = library.url
    printed = run(sys.executable, "-c", _blocks("python"))
    assert len(printed.splitlines()) == library.search("compost", user)["total"] > 0
