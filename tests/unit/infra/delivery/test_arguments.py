"""infra/local/delivery: errors of the command line."""

from __future__ import annotations

import pytest

from infra.local.delivery.__main__ import main


def test_without_an_emulator_the_variable_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 2
    assert "PUBSUB_EMULATOR_HOST: expected HOST:PORT" in capsys.readouterr().err


def test_a_function_without_a_subscription_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--function=search=http://127.0.0.1:1/"], {}) == 2
    assert "found 'search'" in capsys.readouterr().err
