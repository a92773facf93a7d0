"""What the documentation names is there, and what is there is named."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from infra.pipeline import load_pipeline
from shared.config import Config

ROOT = Path(__file__).resolve().parents[2]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PIPELINE = load_pipeline(Config.from_env({}))


def shape(path: str) -> str:
    """`jobs/{job_id}/ledger/{video_id}` and `jobs/{each.id}/ledger/{x}` are the same: jobs/{}/ledger/{}."""
    return re.sub(r"\{[^{}]*\}", "{}", path)


def documented() -> set[str]:
    """The documents in the tables: a cell that is a path with a variable in it."""
    return set(re.findall(r"^\| `([a-z_]+/\{[^`]+)`", ARCHITECTURE, re.MULTILINE))


def _text(node: ast.AST) -> str | None:
    """The text of a string, with {} for what is computed."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def written(source: str) -> set[str]:
    """The shapes of documents that a source builds paths of."""
    texts = (_text(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))
    # A name may have two parts: `active_jobs/{user:playlist}`.
    names = (text.replace("{}:{}", "{}") for text in texts if text)
    return {name for name in names if re.fullmatch(r"[a-z_]+/\{\}(/[a-z_]+/\{\})*", name)}


def in_code() -> set[str]:
    return {
        each
        for path in sorted((ROOT / "shared").glob("*.py"))
        for each in written(path.read_text(encoding="utf-8"))
    }


def test_the_tables_are_read() -> None:
    assert {"jobs/{job_id}", "rejections/{message_id}"} <= documented()
    assert written('p = f"jobs/{job}/ledger/{video}"\nq = f"{a}/b"\nr = f"GET {x}"') == {"jobs/{}/ledger/{}"}


def test_every_documented_document_is_written_by_code_and_the_other_way_round() -> None:
    assert {shape(each) for each in documented()} == in_code()


@pytest.mark.parametrize("name", [function.name for function in PIPELINE.functions])
def test_every_function_is_in_the_architecture(name: str) -> None:
    assert re.search(rf"`{name}`", ARCHITECTURE), f"docs/architecture.md does not name the function `{name}`"


def test_every_use_case_that_is_named_is_there() -> None:
    named = re.findall(r"`shared\.(\w+)\.(\w+)`", ARCHITECTURE)
    assert len(named) >= 6
    for module, function in named:
        source = ast.parse((ROOT / "shared" / f"{module}.py").read_text(encoding="utf-8"))
        defined = {node.name for node in source.body if isinstance(node, ast.FunctionDef)}
        assert function in defined, f"shared.{module}.{function} is documented and not there"


def test_every_topic_is_in_the_architecture() -> None:
    for topic in PIPELINE.topics:
        assert re.search(rf"\b{topic}\b", ARCHITECTURE), topic
