"""Pages and pieces of pages, with ``$name`` where a value goes (:class:`string.Template`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template


@cache
def template(name: str) -> Template:
    return Template((Path(__file__).parent / name).read_text(encoding="utf-8"))


@cache
def compact(name: str) -> Template:
    """The same on one line: line breaks in the file are there for reading only."""
    return Template(template(name).template.replace("\n", ""))
