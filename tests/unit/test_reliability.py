"""docs/reliability.md names tests that exist, docs/operations.md the log lines that are written."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", RELIABILITY)


def _defined(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_the_table_is_read() -> None:
    rows = [line for line in RELIABILITY.splitlines() if re.match(r"\| [^*-]", line)]
    # The first is the head.
    assert len(rows) - 1 >= 35
    for row in rows[1:]:
        assert re.search(r"\| `tests/[^`]+` \|$", row), f"no test shows: {row}"


@pytest.mark.parametrize(("file", "function"), sorted(set(NAMED)))
def test_what_shows_a_promise_exists(file: str, function: str) -> None:
    path = ROOT / file
    assert path.is_file(), file
    defined = _defined(path)
    assert path.name == "invariants.py" or any(each.startswith("test") for each in defined), file
    assert not function or function in defined, f"{file} has no {function}"


def _logged() -> set[str]:
    """The first argument of every call of logs.info, warning and error."""
    found = set()
    for path in [*(ROOT / "shared").glob("*.py"), *(ROOT / "functions").glob("*/main.py")]:
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


def test_every_log_line_is_explained_and_every_explained_line_is_written() -> None:
    table = OPERATIONS.split("## Log lines")[1].split("Of the local run only")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = {message for cell in cells for message in re.findall(r"`([^`]+)`", cell)}
    assert len(explained) > 20
    assert explained == _logged()


@pytest.mark.parametrize("states", ["JobState", "State"])
def test_every_state_is_explained(states: str) -> None:
    from typing import get_args

    from shared import jobs, ledger

    kinds = {"JobState": jobs.JobState, "State": ledger.State}
    for state in get_args(kinds[states]):
        assert re.search(rf"^\| `{state}` \|", OPERATIONS, re.MULTILINE), state
