"""What holds for the files of the page without a browser."""

from __future__ import annotations

import re
from pathlib import Path

FRONTEND = Path(__file__).parents[2] / "frontend"
#: Bytes of own code, uncompressed.
_MOST = 100_000


def test_the_page_is_small() -> None:
    assert sum(file.stat().st_size for file in FRONTEND.rglob("*") if file.is_file()) < _MOST


def test_text_is_never_read_as_html() -> None:
    reading = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    for file in FRONTEND.glob("*.js"):
        assert not reading.search(file.read_text(encoding="utf-8")), file.name


def test_nothing_is_loaded_from_elsewhere() -> None:
    for file in FRONTEND.glob("*.[hjc]*s*"):
        imported = re.findall(
            r'(?:from|src=|href=|url\()\s*"?(https?:[^"]*)', file.read_text(encoding="utf-8")
        )
        assert not imported, file.name
