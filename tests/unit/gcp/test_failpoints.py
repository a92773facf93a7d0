"""Failpoints: a process dies where a test arms it, once, and never without emulators."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from flask import Request

from infra.local.state_dir import ROOT
from shared.accounts.auth import Caller
from shared.config import Config
from shared.web.routing import Routes
from tests.unit.functions import SAMPLE, client
from tests.unit.stored import Stored

_LOCAL = {"FIRESTORE_EMULATOR_HOST": "localhost:1", "PUBSUB_EMULATOR_HOST": "localhost:2"}
_PASSING = """
from shared import config
from shared.gcp.failpoints import Failpoints
with Failpoints.from_config(config.load()).around("publish videos"):
    print("published")
print("passed")
"""


def _pass(directory: Path, **environment: str) -> tuple[int, str]:
    variables = {"FAILPOINTS_DIR": str(directory), "K_SERVICE": "planner", **environment}
    result = subprocess.run(
        [sys.executable, "-c", _PASSING],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return result.returncode, result.stdout


@pytest.fixture
def planner(tmp_path: Path) -> Path:
    (tmp_path / "planner").mkdir()
    return tmp_path / "planner"


def test_an_armed_boundary_kills_once(planner: Path) -> None:
    (planner / "after publish videos").touch()
    assert _pass(planner.parent, **_LOCAL) == (-signal.SIGKILL, "")
    assert _pass(planner.parent, **_LOCAL) == (0, "published\npassed\n")


def test_boundaries_are_armed_for_one_function(planner: Path) -> None:
    (planner / "before publish videos").touch()
    assert _pass(planner.parent, **_LOCAL, K_SERVICE="sweep")[0] == 0
    assert (planner / "before publish videos").exists()


@pytest.mark.parametrize("missing", _LOCAL)
def test_without_an_emulator_nothing_happens(planner: Path, missing: str) -> None:
    (planner / "before publish videos").touch()
    (planner / "record").touch()
    kept = {name: value for name, value in _LOCAL.items() if name != missing}
    assert _pass(planner.parent, **kept)[0] == 0
    assert (planner / "record").read_text() == ""


def test_reached_boundaries_are_recorded(planner: Path) -> None:
    (planner / "record").touch()
    _pass(planner.parent, **_LOCAL)
    assert (planner / "record").read_text() == "before publish videos\nafter publish videos\n"


def test_the_answer_to_a_request_is_between_two_boundaries(planner: Path) -> None:
    (planner / "record").touch()
    config = Config(
        failpoints_dir=planner.parent,
        k_service="planner",
        firestore_emulator_host="localhost:1",
        pubsub_emulator_host="localhost:2",
    )
    routes = Routes(config, Stored())
    reached: list[str] = []

    @routes.get("/", public=True)
    def answer(request: Request, caller: Caller) -> Mapping[str, bool]:
        """Says that it was reached."""
        reached.append((planner / "record").read_text())
        return {"done": True}

    with client("sample", SAMPLE, routes=routes) as web:
        assert web.get("/", buffered=True).status_code == 200
    assert reached == [""]
    assert (planner / "record").read_text() == "before answer\nafter answer\n"
