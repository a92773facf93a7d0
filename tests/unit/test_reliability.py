"""docs/reliability.md names tests that exist. docs/operations.md explains every log line and every state."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from shared.pipeline.jobs import JobState
from shared.pipeline.ledger import VideoState

ROOT = Path(__file__).resolve().parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", RELIABILITY)


def _defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_every_row_names_a_test() -> None:
    table = RELIABILITY.split("\n## ")[0]
    rows = [line for line in table.splitlines() if re.match(r"\| [^*-]", line)]
    # The first row is the head.
    assert len(rows) - 1 >= 35
    for row in rows[1:]:
        assert re.search(r"\| `tests/[^`]+` \|$", row), f"no test shows: {row}"


@pytest.mark.parametrize(("file", "function"), sorted(set(NAMED)))
def test_every_named_test_exists(file: str, function: str) -> None:
    path = ROOT / file
    assert path.is_file(), file
    defined = _defined(path)
    assert path.name == "invariants.py" or any(each.startswith("test") for each in defined), file
    assert not function or function in defined, f"{file} has no {function}"


def _logged() -> set[str]:
    """The first argument of every call of logs.info, warning and error."""
    found = set()
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == "logs"
                and node.func.attr in ("info", "warning", "error")
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


def test_the_same_log_lines_are_explained_and_in_the_code() -> None:
    table = OPERATIONS.split("## Log lines")[1].split("Of the local run only")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = {message for cell in cells for message in re.findall(r"`([^`]+)`", cell)}
    assert len(explained) > 20
    assert explained == _logged()


@pytest.mark.parametrize("state", [*get_args(JobState), *get_args(VideoState)])
def test_every_state_is_explained(state: str) -> None:
    assert re.search(rf"^\| `{state}` \|", OPERATIONS, re.MULTILINE), state
