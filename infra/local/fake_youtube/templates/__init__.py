"""Pages and parts of pages. A value replaces each ``$name`` (:class:`string.Template`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template


@cache
def template(name: str) -> Template:
    return Template((Path(__file__).parent / name).read_text(encoding="utf-8"))


@cache
def compact(name: str) -> Template:
    """The template without its line breaks, which only make the file readable."""
    return Template(template(name).template.replace("\n", ""))
