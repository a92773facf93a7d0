"""Downloads published archives once, verifies them, and puts them in place as a whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.local.servers.tools import Missing, Say

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Archive:
    """An emulator of Google's, with the address and the checksum that the Firebase command line uses.

    https://github.com/firebase/firebase-tools/blob/master/src/emulator/downloadableEmulatorInfo.json
    """

    name: str
    url: str
    sha256: str


_DROP = "https://storage.googleapis.com/firebase-preview-drop/emulator"
# The newest versions that run on Java 17.
PUBSUB = Archive(
    "pubsub-emulator-0.8.14",
    f"{_DROP}/pubsub-emulator-0.8.14.zip",
    "4fbeefd8ecb32b10e5ab522e5d8748e0c2b13891c471c0c327c04632dcc75a8d",
)
FIRESTORE = Archive(
    "cloud-firestore-emulator-1.19.8",
    f"{_DROP}/cloud-firestore-emulator-v1.19.8.jar",
    "9d43599ed6151199e8d604dc87fac51218e49e5f3a48519b1ae560bbe5e3382d",
)


def fetch(archive: Archive, servers: Path, say: Say) -> Path:
    """The directory with the unpacked archive. Downloads it if it is not there.

    Raises:
        Missing: the download failed, or its checksum is wrong.
    """

    def fill(part: Path) -> None:
        file = part / Path(archive.url).name
        _download(archive, file, say)
        if file.suffix == ".zip":
            with zipfile.ZipFile(file) as content:
                content.extractall(part)
            file.unlink()

    return place(servers / archive.name, fill)


def place(target: Path, fill: Callable[[Path], None]) -> Path:
    """Makes the directory ``target`` unless it exists.

    ``fill`` writes to a temporary directory, which is then renamed. So a target that exists is complete.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(target.parent)
    if not target.exists():
        with _part(target) as part:
            fill(part)
            try:
                part.rename(target)
            except OSError:
                if not target.exists():  # If it exists, another run has made the same directory meanwhile.
                    raise
    return target


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    part = target.parent / f".part-{os.getpid()}-{target.name}"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _remove_abandoned(directory: Path) -> None:
    """Removes the temporary directories of processes that were killed."""
    for part in directory.glob(".part-*"):
        owner = part.name.split("-")[1]
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(part, ignore_errors=True)


def _download(archive: Archive, file: Path, say: Say) -> None:
    digest = hashlib.sha256()
    last_line = time.monotonic()
    say(f"downloading {archive.name}, once")
    try:
        with urllib.request.urlopen(archive.url, timeout=30) as response, file.open("wb") as output:  # noqa: S310
            total = int(response.headers.get("Content-Length") or 0)
            done = 0
            while chunk := response.read(_CHUNK):
                output.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                if total and time.monotonic() - last_line > 3:
                    last_line = time.monotonic()
                    say(f"downloading {archive.name}: {100 * done // total} % of {total >> 20} MB")
    except OSError as error:
        raise Missing(
            f"{archive.url} could not be downloaded ({error}). Install the emulator with gcloud,"
            " start Docker, or set the address of an emulator that runs."
        ) from error
    if digest.hexdigest() != archive.sha256:
        raise Missing(
            f"{archive.url}: expected the SHA-256 {archive.sha256}, found {digest.hexdigest()}."
            " Start again to download it once more, or set the address of an emulator that runs."
        )
