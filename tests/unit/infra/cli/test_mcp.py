"""`./emulators.sh mcp`: what it says on stderr when it cannot serve, and nothing but messages on stdout."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.cli.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "sentence"),
    [
        ([], {}, 3, "./emulators.sh up"),
        (["--url=https://yts.test"], {}, 1, "YTS_TOKEN: expected an API token"),
        ([], {"YTS_URL": "https://yts.test"}, 1, "YTS_TOKEN: expected an API token"),
        ([], {"YTS_URL": "http://yts.test"}, 2, "YTS_URL: expected an origin"),
        (["--url=http://yts.test"], {"YTS_TOKEN": "x"}, 2, "YTS_URL: expected an origin"),
    ],
)
def test_what_is_missing_is_said_on_stderr(
    arguments: list[str],
    environment: dict[str, str],
    code: int,
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["mcp", *arguments], {"LOCAL_STATE_DIR": str(tmp_path)} | environment) == code
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.out == ""
