"""Serves the files of the frontend."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from shared.errors import MethodNotAllowed, NotFound
from shared.page import CACHE_CONTROL, TYPES

READING_METHODS = ("GET", "HEAD")


class Frontend:
    """The files of one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Raises RequestError."""
        if request.method not in READING_METHODS:
            raise MethodNotAllowed(f"{request.method} is not possible here. Use GET.", "GET, HEAD")
        file = self._file(request.path)
        if file is None:
            raise NotFound(f"There is nothing at {request.path[:200]}.")
        headers = {"Cache-Control": CACHE_CONTROL, "Content-Type": TYPES[file.suffix]}
        return web.FileResponse(file, headers=headers)

    def _file(self, path: str) -> Path | None:
        try:
            file = (self._directory / (path.lstrip("/") or "index.html")).resolve()
            inside = file.relative_to(self._directory)
            if any(part.startswith(".") for part in inside.parts) or not file.is_file():
                return None
        except (ValueError, OSError):  # The path leads outside, or cannot name a file.
            return None
        return file if file.suffix in TYPES else None
