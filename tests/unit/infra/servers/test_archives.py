"""infra/local/servers/archives.py: downloads are verified, and whole or absent."""

from __future__ import annotations

import functools
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from infra.local.servers import archives
from infra.local.servers.archives import Archive
from infra.local.servers.tools import Missing


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@pytest.fixture
def published(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A directory, and the URL at which it is served."""
    directory = tmp_path / "published"
    directory.mkdir()
    handler = functools.partial(_Quiet, directory=str(directory))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield directory, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, text in files.items():
            content.writestr(name, text)
    return buffer.getvalue()


def _publish(published: tuple[Path, str], data: bytes, name: str = "it.zip") -> Archive:
    directory, url = published
    (directory / name).write_bytes(data)
    return Archive("it-1", f"{url}/{name}", hashlib.sha256(data).hexdigest())


def test_an_archive_is_unpacked_once(published: tuple[Path, str], tmp_path: Path) -> None:
    said: list[str] = []
    archive = _publish(published, _zip(jar="content"))
    directory = archives.fetch(archive, tmp_path / "servers", said.append)
    assert (directory / "jar").read_text() == "content"
    assert said == ["downloading it-1, once"]
    assert archives.fetch(archive, tmp_path / "servers", said.append) == directory
    assert len(said) == 1
    assert [path.name for path in (tmp_path / "servers").iterdir()] == ["it-1"]


def test_a_jar_stays_a_file(published: tuple[Path, str], tmp_path: Path) -> None:
    archive = _publish(published, b"jar", "it.jar")
    assert (archives.fetch(archive, tmp_path / "servers", print) / "it.jar").read_bytes() == b"jar"


def test_a_download_with_a_wrong_checksum_is_not_used(published: tuple[Path, str], tmp_path: Path) -> None:
    archive = _publish(published, _zip(jar="content"))
    (published[0] / "it.zip").write_bytes(_zip(jar="other"))
    with pytest.raises(Missing, match=f"expected the SHA-256 {archive.sha256}"):
        archives.fetch(archive, tmp_path / "servers", print)
    assert list((tmp_path / "servers").iterdir()) == []


def test_a_failed_download_says_what_to_do(published: tuple[Path, str], tmp_path: Path) -> None:
    archive = Archive("gone", f"{published[1]}/gone.zip", "")
    with pytest.raises(
        Missing, match=r"could not be downloaded .*404.*Install the emulator with gcloud, start Docker"
    ):
        archives.fetch(archive, tmp_path / "servers", print)


def test_the_part_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    servers = tmp_path / "servers"
    abandoned = servers / ".part-999999999-it-1"
    abandoned.mkdir(parents=True)
    (abandoned / "half").write_text("ha")
    target = archives.place(servers / "it-1", lambda part: (part / "whole").touch())
    assert [path.name for path in target.iterdir()] == ["whole"]
    assert [path.name for path in servers.iterdir()] == ["it-1"]


def test_a_failed_attempt_leaves_nothing(tmp_path: Path) -> None:
    def fail(part: Path) -> None:
        (part / "half").touch()
        raise Missing("no")

    with pytest.raises(Missing):
        archives.place(tmp_path / "servers" / "it-1", fail)
    assert list((tmp_path / "servers").iterdir()) == []


def test_of_two_runs_the_faster_one_wins(tmp_path: Path) -> None:
    target = tmp_path / "servers" / "it-1"

    def slower(part: Path) -> None:
        (part / "mine").touch()
        target.mkdir()
        (target / "theirs").touch()

    assert [path.name for path in archives.place(target, slower).iterdir()] == ["theirs"]
