"""The version in the code is the latest version in CHANGELOG.md."""

from __future__ import annotations

import re

from infra.staging import ROOT
from shared import __version__

HEADINGS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_changelog_begins_with_unreleased_changes() -> None:
    assert HEADINGS[0] == "[Unreleased]"


def test_the_latest_version_of_the_changelog_is_that_of_the_code() -> None:
    assert re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d", HEADINGS[1])
    assert HEADINGS[1].startswith(f"[{__version__}] ")
