"""The documentation and the code name the same documents, functions, topics, files and objects."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from infra.pipeline import load_pipeline
from shared.config import Config

ROOT = Path(__file__).resolve().parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PIPELINE = load_pipeline(Config.from_env({}))


# -- documents of the database -----------------------------------------------------------------------


def shape(path: str) -> str:
    """`jobs/{job_id}/ledger/{video_id}` and `jobs/{each.id}/ledger/{x}` have the shape jobs/{}/ledger/{}."""
    return re.sub(r"\{[^{}]*\}", "{}", path)


def documented() -> set[str]:
    """The documents in the tables: a cell that is a path with a variable in it."""
    return set(re.findall(r"^\| `([a-z_]+/\{[^`]+)`", ARCHITECTURE, re.MULTILINE))


def _text(node: ast.AST) -> str | None:
    """The text of a string, with {} for computed parts."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def built(source: str) -> set[str]:
    """The shapes of the paths that a source builds."""
    texts = (_text(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))
    # An id may have two parts: `active_jobs/{user:playlist}`.
    paths = (text.replace("{}:{}", "{}") for text in texts if text)
    return {path for path in paths if re.fullmatch(r"[a-z_]+/\{\}(/[a-z_]+/\{\})*", path)}


def in_code() -> set[str]:
    return {
        shape
        for path in sorted((ROOT / "shared").rglob("*.py"))
        for shape in built(path.read_text(encoding="utf-8"))
    }


def test_the_tables_and_the_code_are_read() -> None:
    assert {"jobs/{job_id}", "rejections/{message_id}"} <= documented()
    assert built('p = f"jobs/{job}/ledger/{video}"\nq = f"{a}/b"\nr = f"GET {x}"') == {"jobs/{}/ledger/{}"}
    assert {"jobs/{}", "egress/{}", "users/{}/memberships/{}"} <= in_code()


def test_the_same_documents_are_documented_and_in_the_code() -> None:
    assert {shape(each) for each in documented()} == in_code()


# -- functions and topics ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [function.name for function in PIPELINE.functions])
def test_every_function_is_in_the_architecture(name: str) -> None:
    assert re.search(rf"`{name}`", ARCHITECTURE), f"docs/architecture.md does not name the function `{name}`"


@pytest.mark.parametrize("topic", PIPELINE.topics)
def test_every_topic_is_in_the_architecture(topic: str) -> None:
    assert re.search(rf"\b{topic}\b", ARCHITECTURE), topic


# -- files and objects -------------------------------------------------------------------------------


def _named(pattern: str) -> list[str]:
    """What the documentation names in backticks, with its place: `docs/x.md:12 NAME`."""
    return [
        f"{path.relative_to(ROOT)}:{number} {name}"
        for path in DOCS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for name in re.findall(pattern, line)
    ]


FILES = _named(r"`((?:shared|functions|infra|tests|frontend|docs)/[\w./-]+\.\w+)(?:::\w+)?`")
OBJECTS = _named(r"`(shared(?:\.\w+)+)(?:\(\))?`")


def test_the_names_are_read() -> None:
    assert len(FILES) >= 20
    assert len(OBJECTS) >= 6


@pytest.mark.parametrize("named", FILES)
def test_every_named_file_exists(named: str) -> None:
    """NAME stands for any name."""
    place, name = named.split(" ")
    assert any(ROOT.glob(name.replace("NAME", "*"))), f"{place}: there is no {name}"


def _exists(name: str) -> bool:
    """Whether there is such a package, module, class, function or variable."""
    path, parts = ROOT, name.split(".")
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    if not parts:
        return True
    module = path / f"{parts.pop(0)}.py"
    if not module.is_file():
        return False
    found: ast.AST = ast.parse(module.read_text(encoding="utf-8"))
    for part in parts:
        body = getattr(found, "body", [])
        names = {node.name: node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)}
        variables = {target.id for node in body for target in _targets(node)}
        if part not in names:
            return part in variables
        found = names[part]
    return True


def _targets(node: ast.AST) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [each for each in targets if isinstance(each, ast.Name)]


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("shared.gcp", True),
        ("shared.clock", True),
        ("shared.clock.now", True),
        ("shared.gcp.pubsub.TIMEOUT", True),
        ("shared.gcp.pubsub.Topics.publish", True),
        ("shared.gcp.pubsub.Topics.unpublish", False),
        ("shared.gcp.pubsub.publish", False),
        ("shared.topics", False),
        ("shared.gcp.topics.publish", False),
    ],
)
def test_names_are_looked_up(name: str, exists: bool) -> None:
    assert _exists(name) is exists


@pytest.mark.parametrize("named", OBJECTS)
def test_every_named_object_exists(named: str) -> None:
    place, name = named.split(" ")
    assert _exists(name), f"{place}: there is no {name}"
