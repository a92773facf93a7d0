"""Serves the files of the page from a function."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Request, Response

from shared.errors import NotFound
from shared.page import CACHE_CONTROL, TYPES


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    mimetype: str
    etag: str


class Page:
    """The files of a directory, about a hundred kilobytes, in memory. ``headers``: of every answer."""

    def __init__(self, directory: Path, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self._files = {
            f"/{path.relative_to(directory).as_posix()}": _read(path)
            for path in sorted(directory.rglob("*"))
            if path.suffix in TYPES and path.is_file() and not _is_hidden(path.relative_to(directory))
        }

    def answer(self, request: Request) -> Response:
        """The file at the request's path. Raises NotFound."""
        file = self._files.get("/index.html" if request.path == "/" else request.path)
        if file is None:
            raise NotFound(f"There is nothing at {request.path[:200]}.")
        answer = Response(file.content, content_type=file.mimetype, headers={"Cache-Control": CACHE_CONTROL})
        # No time: the files of a deployment have the time of no change.
        answer.set_etag(file.etag)
        answer.make_conditional(request)
        return self.with_headers(answer)

    def with_headers(self, answer: Response) -> Response:
        """Adds the headers that an answer does not have itself."""
        for name, value in self._headers.items():
            answer.headers.setdefault(name, value)
        return answer


def _read(path: Path) -> _File:
    content = path.read_bytes()
    return _File(content, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
