"""The rules of the house, held by reading the source: who imports what, who reads the environment, and so on.

Each rule is a function from a file's source to what it finds wrong, and is shown to find something
in a small counter-example; a rule that cannot fail holds nothing.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Rule = Callable[[str], list[str]]

#: What a function may import besides the standard library and `shared`.
_OF_FUNCTIONS = {"functions_framework", "flask", "cloudevents"}
#: Lines of the longest file that one reads in a sitting, and of an entry point.
_LONGEST, _LONGEST_MAIN = 350, 80


# -- reading a file --------------------------------------------------------------------------------


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and module of every import, wherever it stands; of a top package its modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if "." in module:
                yield node.lineno, module
            else:
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and _last(node.func) in ("import_module", "__import__"):
            named = node.args[0] if node.args else None
            yield node.lineno, str(named.value) if isinstance(named, ast.Constant) else "?"


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: `from requests import Session as S` is S: requests.Session."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name if alias.asname else alias.name.split(".")[0]
                found[alias.asname or top] = top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """The full name of an expression as far as it can be seen; "?" for what is computed."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    names = _names(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, _dotted(node.func, names)


def _within(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


# -- the rules -------------------------------------------------------------------------------------


def functions_import_shared_only(source: str) -> list[str]:
    allowed = {"shared", *_OF_FUNCTIONS, *sys.stdlib_module_names}
    return [
        f"line {line}: imports {module}"
        for line, module in _imports(ast.parse(source))
        if module.split(".")[0] not in allowed
    ]


def shared_imports_neither_functions_nor_infra(source: str) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in _imports(ast.parse(source))
        if _within(module, "functions", "infra", "tests") or module.startswith((".", "?"))
    ]


def infra_imports_config_and_messages_only(source: str) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in _imports(ast.parse(source))
        if _within(module, "functions", "tests")
        or (_within(module, "shared") and not _within(module, "shared.config", "shared.messages"))
    ]


def environment_is_left_to_config(source: str) -> list[str]:
    tree = ast.parse(source)
    names = _names(tree)
    reading = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv")
    return [
        f"line {node.lineno}: touches {name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and (name := _dotted(node, names)) in reading
    ]


def clients_are_built_in_clients(source: str) -> list[str]:
    constructors = {
        "elasticsearch.Elasticsearch",
        "elasticsearch.AsyncElasticsearch",
        "googleapiclient.discovery.build",
        "googleapiclient.discovery.build_from_document",
        "httplib2.Http",
        "requests.Session",
        "requests.session",
        "shared.egress.Session",
        "urllib3.PoolManager",
    }
    return [
        f"line {call.lineno}: builds {name}"
        for call, name in _calls(ast.parse(source))
        if name in constructors or (name.startswith("google.cloud.") and name.endswith("Client"))
    ]


def nothing_happens_at_import(source: str) -> list[str]:
    """No client and no configuration is asked for while a module is being imported."""
    tree = ast.parse(source)
    names = _names(tree)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in (function.body if isinstance(function.body, list) else [function.body])
        for node in ast.walk(part)
    }
    return [
        f"line {call.lineno}: calls {name} at import"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and id(call) not in inside
        and (_within(name := _dotted(call.func, names), "shared.clients") or name == "shared.config.load")
    ]


def outbound_calls_have_timeouts(source: str) -> list[str]:
    """Of requests, urllib, sockets and the SDK methods that this house uses."""
    whole = {f"requests.{verb}" for verb in ("get", "post", "put", "patch", "delete", "head", "request")} | {
        "urllib.request.urlopen",
        "socket.create_connection",
        "httplib2.Http",
    }
    methods = {"get_all", "stream", "commit", "publish", "get_topic", "urlopen"}
    return [
        f"line {call.lineno}: {name} without a timeout"
        for call, name in _calls(ast.parse(source))
        if (name in whole or (name.rsplit(".", 1)[-1] in methods and "." in name))
        and not _within(name, "shared")
        and not {"timeout", "request_timeout"} & {keyword.arg for keyword in call.keywords}
    ]


def no_longer_than(lines: int) -> Rule:
    def rule(source: str) -> list[str]:
        found = source.count("\n") + (not source.endswith("\n"))
        return [f"has {found} lines, more than {lines}"] if found > lines else []

    return rule


# -- the files they hold for -----------------------------------------------------------------------

_NOT_OURS = {"node_modules", "target", "__pycache__", "artifacts"}


def _files(*patterns: str) -> list[Path]:
    return sorted(
        path
        for pattern in patterns
        for path in ROOT.glob(pattern)
        if path.is_file() and not _NOT_OURS & set(path.relative_to(ROOT).parts)
    )


_TOPS = ("shared", "functions", "infra", "tests", "frontend")
_EVERYTHING = (
    *(f"{top}/**/*.{end}" for top in _TOPS for end in ("py", "js", "mjs", "sh")),
    "*.sh",
    ".ci/run",
)

RULES: list[tuple[Rule, tuple[str, ...], str, str]] = [
    (
        functions_import_shared_only,
        ("functions/**/*.py",),
        "",
        "import json\nfrom shared import jobs\nimport requests\n",
    ),
    (
        shared_imports_neither_functions_nor_infra,
        ("shared/**/*.py",),
        "",
        "def f():\n    from infra import pipeline\n",
    ),
    (
        infra_imports_config_and_messages_only,
        ("infra/**/*.py",),
        "",
        "from shared import config\nfrom shared.jobs import read\n",
    ),
    (
        environment_is_left_to_config,
        ("shared/**/*.py", "functions/**/*.py"),
        "shared/config.py",
        "from os import getenv as g\ng('PORT')\n",
    ),
    (
        clients_are_built_in_clients,
        ("shared/**/*.py", "functions/**/*.py"),
        "shared/clients.py",
        "from google.cloud import firestore\nfirestore.Client()\n",
    ),
    (
        nothing_happens_at_import,
        ("shared/**/*.py", "functions/**/*.py"),
        "",
        "from shared import clients\nX = clients.firestore()\n",
    ),
    (
        outbound_calls_have_timeouts,
        ("shared/**/*.py", "functions/**/*.py"),
        "",
        "import requests\nrequests.get('https://example.com')\n",
    ),
    (no_longer_than(_LONGEST_MAIN), ("functions/*/main.py",), "", "x = 1\n" * (_LONGEST_MAIN + 1)),
    (no_longer_than(_LONGEST), _EVERYTHING, "", "x = 1\n" * (_LONGEST + 1)),
]
_IDS = [f"{rule.__name__}-{patterns[0]}" for rule, patterns, _, _ in RULES]


@pytest.mark.parametrize(("rule", "patterns", "exempt", "counter_example"), RULES, ids=_IDS)
def test_rule_holds(rule: Rule, patterns: tuple[str, ...], exempt: str, counter_example: str) -> None:
    files = [path for path in _files(*patterns) if path.relative_to(ROOT).as_posix() != exempt]
    assert files, f"expected files at {patterns}"
    found = [
        f"{path.relative_to(ROOT)}: {wrong}"
        for path in files
        for wrong in rule(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(("rule", "patterns", "exempt", "counter_example"), RULES, ids=_IDS)
def test_rule_can_fail(rule: Rule, patterns: tuple[str, ...], exempt: str, counter_example: str) -> None:
    assert len(rule(counter_example)) == 1
    if exempt:
        assert rule((ROOT / exempt).read_text(encoding="utf-8")), f"{exempt} needs no exemption any more"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (functions_import_shared_only, "from infra.pipeline import load_pipeline"),
        (functions_import_shared_only, "from . import helper"),
        (functions_import_shared_only, "import importlib\nimportlib.import_module('elasticsearch')"),
        (shared_imports_neither_functions_nor_infra, "import functions.index.main"),
        (shared_imports_neither_functions_nor_infra, "from tests.stack import Stack"),
        (shared_imports_neither_functions_nor_infra, "import importlib\nimportlib.import_module(name)"),
        (infra_imports_config_and_messages_only, "import shared.ledger"),
        (infra_imports_config_and_messages_only, "from shared import store as kept"),
        (infra_imports_config_and_messages_only, "from functions.index import main"),
        (environment_is_left_to_config, "import os\nos.environ['PORT']"),
        (environment_is_left_to_config, "import os as system\nsystem.getenv('PORT')"),
        (environment_is_left_to_config, "from os import environ\nprint(environ)"),
        (clients_are_built_in_clients, "from google.cloud.pubsub_v1 import PublisherClient as P\nP()"),
        (clients_are_built_in_clients, "import elasticsearch\nelasticsearch.Elasticsearch('http://x')"),
        (clients_are_built_in_clients, "from googleapiclient.discovery import build\nbuild('youtube', 'v3')"),
        (clients_are_built_in_clients, "import requests\nwith requests.Session() as s: pass"),
        (clients_are_built_in_clients, "from shared.egress import Session\nSession('https://x')"),
        (nothing_happens_at_import, "from shared import config\nPORT = config.load().port"),
        (nothing_happens_at_import, "from shared.clients import publisher\nclass A:\n    p = publisher()"),
        (outbound_calls_have_timeouts, "from requests import post\npost('https://x', json={})"),
        (outbound_calls_have_timeouts, "import urllib.request\nurllib.request.urlopen('https://x')"),
        (outbound_calls_have_timeouts, "import socket\nsocket.create_connection(('x', 1))"),
        (outbound_calls_have_timeouts, "query.stream(retry=None)"),
        (outbound_calls_have_timeouts, "batch.commit()"),
        (outbound_calls_have_timeouts, "publisher.publish(path, data)"),
    ],
)
def test_rule_sees(rule: Rule, source: str) -> None:
    assert rule(source), f"{rule.__name__} should object to {source!r}"


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (functions_import_shared_only, "from flask import Request\nfrom shared.http import Routes"),
        (infra_imports_config_and_messages_only, "from shared.config import Config\nimport infra.pipeline"),
        (environment_is_left_to_config, "import os\nos.path.join('a', 'b')\nenviron = {}\nenviron['a'] = 1"),
        (clients_are_built_in_clients, "class Session: ...\nSession()"),
        (nothing_happens_at_import, "from shared import clients\ndef f():\n    return clients.firestore()"),
        (outbound_calls_have_timeouts, "import requests\nrequests.get('https://x', timeout=3)"),
        (outbound_calls_have_timeouts, "from shared import topics\ntopics.publish('videos', [])"),
    ],
)
def test_rule_leaves_alone(rule: Rule, source: str) -> None:
    assert rule(source) == []
