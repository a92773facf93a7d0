"""`export [WORDS…]`: writes a search, or the whole library, to a file.

A server may end an answer early, as the cloud does after five minutes. So each answer is kept in a file of
its own, as it comes. The next one begins after the last video that is whole in them. At the end, all are
joined.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, NamedTuple

import requests
from stream_unzip import UnzipError, stream_unzip

from infra.local.cli.api import Api, ApiError

FORMS = ("markdown", "srt", "vtt", "jsonl")
#: Answers in a row that brought no video.
_MOST_FAILURES = 5
#: Seconds in which a server that is busy, or is being restarted, is asked again.
_PATIENCE = 120.0
_PIECE = 65_536
#: Seconds for which the answers of another search are kept, so that somebody can go on with it.
_KEPT = 7 * 86_400
#: The id in `How tides work (hNi6jQj9BOA).en.srt`.
_ID_IN_NAME = re.compile(r"\(([A-Za-z0-9_-]+)\)(?:\.[A-Za-z0-9-]+)?\.(?:md|srt|vtt)\Z")


def export(
    api: Api, form: str, asked: Sequence[tuple[str, str]], target: Path, *, resume: bool = False
) -> int:
    """Writes ``target``, which is whole if it is there. Returns the number of videos.

    ``asked``: the parameters of the search. ``resume``: goes on with what an earlier call has left.

    Raises:
        ApiError: the export was refused, or broke off again and again, and what has come is kept; or there
            is no such directory, or it is where the file should be.
        OSError: the file cannot be written. What has come is kept.
    """
    if not target.parent.is_dir():
        raise ApiError(f"{target.parent}: there is no such directory.")
    if target.is_dir():
        raise ApiError(f"{target}: this is a directory. Name a file in it.")
    parts = Parts(target, form, asked)
    parts.remove_old()
    if not resume:
        parts.remove()
    parameters = [("format", form), *asked]
    failures = 0
    while not parts.complete:
        before = parts.cursor
        after = [("cursor", before)] if before else []
        try:
            parts.add(_pieces(api, [*parameters, *after]))
        except requests.RequestException as error:
            print(f"The answer broke off ({type(error).__name__}); going on.", file=sys.stderr)
        failures = failures + 1 if parts.cursor == before else 0
        if not parts.complete and failures == _MOST_FAILURES:
            raise ApiError("The export breaks off again and again. Go on later with --resume.")
    return parts.join()


def _pieces(api: Api, parameters: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    with _patiently(api, parameters) as answer:
        yield from answer.iter_content(_PIECE)


def _patiently(api: Api, parameters: Sequence[tuple[str, str]]) -> requests.Response:
    """The server notices only after a while that the answer before has broken off."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return api.stream("/api/export", params=list(parameters))
        except ApiError as error:
            if error.retry_after is None or time.monotonic() > until:
                raise
            time.sleep(error.retry_after)


class Parts:
    """The answers so far, beside the file that will be made of them.

    Their names tell the search, so that another search never goes on with them. ``cursor``: the id of the
    last video that is whole; None at the beginning. ``complete``: the last answer has come to its end.
    """

    def __init__(self, target: Path, form: str, asked: Sequence[tuple[str, str]]) -> None:
        self._target = target
        self._read = _lines if form == "jsonl" else _files
        search = hashlib.sha256(json.dumps([form, *asked]).encode()).hexdigest()[:8]
        self._prefix = f".{target.name}.{search}."
        self.cursor: str | None = None
        self.complete = False
        for part in self._parts():
            self._look_at(part)

    def _parts(self) -> list[Path]:
        found = [each for each in self._target.parent.iterdir() if each.name.startswith(self._prefix)]
        return sorted(found, key=lambda each: int(each.suffix[1:]))

    def add(self, pieces: Iterable[bytes]) -> None:
        """Writes an answer as it comes. If that raises, what has come before stays."""
        part = self._target.with_name(f"{self._prefix}{len(self._parts())}")
        try:
            with part.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
        finally:
            self._look_at(part)

    def _look_at(self, part: Path) -> None:
        self.complete = False
        for entry in self._read(part):
            self.cursor = entry.video_id or self.cursor
            self.complete = entry.is_last
        if self._read is _files:
            self.complete = zipfile.is_zipfile(part)

    def join(self) -> int:
        """Makes the file of all parts, and removes them. Returns the number of its videos."""
        parts = self._parts()
        # Entries of no video (the index) end the last part. They describe all videos.
        entries = (each for part in parts for each in self._read(part) if each.video_id or part == parts[-1])
        beginning = f".{self._target.name}.joined-"
        with NamedTemporaryFile(prefix=beginning, dir=self._target.parent, delete=False) as file:
            joined = Path(file.name)
            try:
                number = _join_lines(entries, file) if self._read is _lines else _join_files(entries, file)
                file.flush()
            except BaseException:
                joined.unlink()
                raise
        joined.chmod(0o644)
        joined.replace(self._target)
        self.remove()
        return number

    def remove_old(self) -> None:
        """Removes what other exports to this file have left, and nobody has gone on with for a week."""
        left = re.compile(rf"\.{re.escape(self._target.name)}\.(?:[0-9a-f]{{8}}\.\d+|joined-\w+)")
        for each in self._target.parent.iterdir():
            is_other = left.fullmatch(each.name) and not each.name.startswith(self._prefix)
            if is_other and time.time() - each.stat().st_mtime > _KEPT:
                each.unlink(missing_ok=True)

    def remove(self) -> None:
        for part in self._parts():
            part.unlink()
        self.cursor, self.complete = None, False


class Entry(NamedTuple):
    """A file of a zip, or a line. ``video_id``: empty if it is of no video. ``is_last``: it says so."""

    video_id: str
    name: str
    content: bytes
    is_last: bool = False


def _lines(part: Path) -> Iterator[Entry]:
    """The lines that are whole."""
    with part.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                read = json.loads(line)
                yield Entry(read.get("video_id", ""), "", line, is_last=read.get("done", False))


def _files(part: Path) -> Iterator[Entry]:
    """The files that are whole, of a zip that may be cut off."""
    with part.open("rb") as file, contextlib.suppress(UnzipError):
        for encoded, _, pieces in stream_unzip(iter(lambda: file.read(_PIECE), b"")):
            content, name = b"".join(pieces), encoded.decode()
            found = _ID_IN_NAME.search(name)
            yield Entry(found[1] if found else "", name, content)


def _join_lines(entries: Iterable[Entry], file: IO[bytes]) -> int:
    number = 0
    for entry in entries:
        if entry.video_id:
            file.write(entry.content)
            number += 1
    file.write(json.dumps({"done": True, "videos": number}, separators=(",", ":")).encode() + b"\n")
    return number


def _join_files(entries: Iterable[Entry], file: IO[bytes]) -> int:
    number = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            archive.writestr(entry.name, entry.content)
            number += bool(entry.video_id)
    return number
