"""A directory of files for the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def frontend(tmp_path: Path) -> Path:
    directory = tmp_path / "frontend"
    (directory / "images").mkdir(parents=True)
    (directory / "index.html").write_text("<!doctype html><title>é</title>")
    (directory / "app.js").write_text("export {};")
    (directory / ".secret.js").write_text("hidden")
    (directory / "notes.py").write_text("a type that is not served")
    (tmp_path / "outside.js").write_text("outside of the directory")
    (directory / "link.js").symlink_to(tmp_path / "outside.js")
    return directory
