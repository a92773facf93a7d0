"""The start of a function: it reads the environment once, and stops where a secret is missing."""

from __future__ import annotations

import gc
import json
import logging
import sys

import pytest

from shared import startup
from shared.config import ConfigError
from tests.unit.functions import settings_kept


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of a function on Google's platform."""
    for name in ("FIRESTORE_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "YOUTUBE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("K_SERVICE", "planner")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "a-real-project")
    monkeypatch.setenv("EGRESS_NAME", "cloud-1")
    return monkeypatch


def test_the_environment_is_read(deployed: pytest.MonkeyPatch) -> None:
    with settings_kept():
        assert startup.begin().egress_name == "cloud-1"
        deployed.setenv("EGRESS_NAME", "cloud-2")
        assert startup.begin().egress_name == "cloud-2"


def test_a_deployed_function_does_not_start_without_its_secrets(deployed: pytest.MonkeyPatch) -> None:
    with settings_kept():
        with pytest.raises(ConfigError, match="YOUTUBE_API_KEY"):
            startup.begin("YOUTUBE_API_KEY")
        deployed.setenv("YOUTUBE_API_KEY", "AIzaSyARealKey")
        assert startup.begin("YOUTUBE_API_KEY").youtube_api_key == "AIzaSyARealKey"


def test_a_function_starts_without_secrets_when_it_is_not_deployed(deployed: pytest.MonkeyPatch) -> None:
    deployed.delenv("K_SERVICE")
    deployed.delenv("GOOGLE_CLOUD_PROJECT")
    with settings_kept():
        assert startup.begin("YOUTUBE_API_KEY").youtube_api_key is None


def test_logs_are_json_and_the_process_is_tuned(capsys: pytest.CaptureFixture[str]) -> None:
    before = gc.get_threshold(), sys.getswitchinterval()
    with settings_kept():
        startup.begin()
        assert gc.get_threshold()[0] > before[0][0]
        assert sys.getswitchinterval() > before[1]
        logging.getLogger("of.a.library").warning("a line")
    assert json.loads(capsys.readouterr().out)["message"] == "a line"
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
