"""The borders of the architecture, checked in the source: who imports what, and where state may be.

Each rule is shown to find something in a small counter-example. A rule that cannot fail checks nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit import architecture_rules as rules
from tests.unit.architecture_rules import CLIENTS, LAYERS, Rule, no_longer_than
from tests.unit.source_code import Source

ROOT = Path(__file__).resolve().parents[2]
#: Lines that one reads in a sitting, and lines of an entry point.
LONGEST, LONGEST_MAIN = 350, 130
_TOPS = ("shared", "functions", "infra", "tests", "frontend")
_EVERYTHING = (
    *(f"{top}/**/*.{end}" for top in _TOPS for end in ("py", "js", "mjs", "sh")),
    "*.sh",
    ".ci/run",
)
_NOT_OURS = {"node_modules", "target", "__pycache__", "artifacts"}


class Check(NamedTuple):
    """A rule and the files that it holds for. ``counter_example``: a file with one violation."""

    rule: Rule
    patterns: tuple[str, ...]
    counter_example: Source
    exempt: str = ""


_SHARED, _FUNCTIONS, _INFRA = ("shared/**/*.py",), ("functions/**/*.py",), ("infra/**/*.py",)
_DEEP = "shared/search/index/planted.py"
CHECKS = [
    Check(
        rules.functions_import_shared_only,
        _FUNCTIONS,
        Source("functions/planted/deep/main.py", "import json\nfrom shared import clock\nimport requests\n"),
    ),
    Check(
        rules.shared_imports_nothing_of_its_users,
        _SHARED,
        Source(_DEEP, "def f():\n    from infra import pipeline\n"),
    ),
    Check(
        rules.packages_import_lower_layers_only,
        _SHARED,
        Source(
            _DEEP,
            "from shared import clock\nfrom shared.youtube.captions import choose\n"
            "from shared.search.scope import Scope\nfrom shared.pipeline.jobs import Jobs\n",
        ),
    ),
    Check(
        rules.web_serves_any_use_case,
        ("shared/web/**/*.py",),
        Source("shared/web/deep/planted.py", "from shared.search.service import Search\n"),
    ),
    Check(
        rules.youtube_alone_imports_the_transcript_library,
        (*_SHARED, *_FUNCTIONS, *_INFRA),
        Source(_DEEP, "from youtube_transcript_api.proxies import ProxyConfig\n"),
    ),
    Check(
        rules.meaning_alone_imports_models,
        (*_SHARED, *_FUNCTIONS, *_INFRA),
        Source("shared/meaning/planted.py", "def f():\n    import numpy as np\n"),
    ),
    Check(
        rules.infra_imports_few_modules_of_shared,
        _INFRA,
        Source("infra/local/deep/planted.py", "from shared import config\nfrom shared.gcp import pubsub\n"),
    ),
    Check(
        rules.config_alone_reads_the_environment,
        (*_SHARED, *_FUNCTIONS),
        Source(_DEEP, "from os import getenv as g\ng('PORT')\n"),
        exempt="shared/config.py",
    ),
    Check(
        rules.clients_are_built_where_they_are_wrapped,
        (*_SHARED, *_FUNCTIONS),
        Source(
            "shared/gcp/deep/planted.py",
            "from google.cloud import firestore\ndef f():\n    firestore.Client()\n",
        ),
    ),
    Check(
        rules.boundary_objects_are_handed_in,
        _SHARED,
        Source(_DEEP, "from shared.search.server import SearchServer\ndef f(c):\n    SearchServer(c)\n"),
    ),
    Check(
        rules.nothing_happens_at_import,
        (*_SHARED, *_FUNCTIONS),
        Source(_DEEP, "from shared import config\nPORT = config.load().port\n"),
    ),
    Check(
        rules.functions_begin_once,
        ("functions/*/main.py",),
        Source("functions/planted/main.py", "from shared import logs\nlogs.configure()\n"),
    ),
    Check(
        rules.modules_have_no_state,
        _SHARED,
        Source(_DEEP, "from functools import lru_cache\n@lru_cache\ndef f():\n    pass\n"),
    ),
    Check(
        rules.outbound_calls_have_timeouts,
        (*_SHARED, *_FUNCTIONS),
        Source(_DEEP, "import requests\nrequests.get('https://example.com')\n"),
    ),
    Check(
        no_longer_than(LONGEST_MAIN),
        ("functions/*/main.py",),
        Source("functions/planted/main.py", "x = 1\n" * (LONGEST_MAIN + 1)),
    ),
    Check(no_longer_than(LONGEST), _EVERYTHING, Source(_DEEP, "x = 1\n" * (LONGEST + 1))),
]
_IDS = [f"{check.rule.__name__}-{check.patterns[0]}" for check in CHECKS]
checks = pytest.mark.parametrize("check", CHECKS, ids=_IDS)


def files(check: Check, root: Path = ROOT) -> list[Source]:
    paths = {path for pattern in check.patterns for path in root.glob(pattern) if path.is_file()}
    found = [path for path in sorted(paths) if not _NOT_OURS & set(path.relative_to(root).parts)]
    return [source for path in found if (source := Source.read(root, path)).path != check.exempt]


def violations(check: Check, root: Path = ROOT) -> list[str]:
    return [f"{source.path}: {wrong}" for source in files(check, root) for wrong in check.rule(source)]


@checks
def test_the_rule_holds(check: Check) -> None:
    assert files(check), f"expected files at {check.patterns}"
    assert violations(check) == []


@checks
def test_the_rule_sees_a_violation_in_a_folder_of_its_own(check: Check, tmp_path: Path) -> None:
    planted = tmp_path / check.counter_example.path
    planted.parent.mkdir(parents=True)
    planted.write_text(check.counter_example.text, encoding="utf-8")
    assert len(violations(check, tmp_path)) == 1


@pytest.mark.parametrize("top", ["shared", "functions", "infra"])
def test_the_rules_for_a_folder_see_all_of_its_packages(top: str) -> None:
    folders = {path.parent for path in (ROOT / top).rglob("*.py")}
    packages = {each for each in folders if not _NOT_OURS & set(each.parts)}
    assert len(packages) >= 5
    for check in CHECKS:
        if f"{top}/**/*.py" in check.patterns:
            assert {(ROOT / source.path).parent for source in files(check)} >= packages


@pytest.mark.parametrize("check", [check for check in CHECKS if check.exempt], ids=lambda check: check.exempt)
def test_an_exemption_is_needed(check: Check) -> None:
    exempt = Source.read(ROOT, ROOT / check.exempt)
    assert check.rule(exempt), f"{check.exempt} needs no exemption any more"


def test_every_package_has_its_layer() -> None:
    packages = {path.parent.name for path in (ROOT / "shared").glob("*/__init__.py")}
    assert packages == set(LAYERS)


@pytest.mark.parametrize(
    ("path", "client"), [(path, name) for path, names in CLIENTS.items() for name in sorted(names)]
)
def test_every_client_is_built_where_the_list_says(path: str, client: str) -> None:
    assert client in [name for _, name in Source.read(ROOT, ROOT / path).calls()]


DEEP, MAIN = _DEEP, "functions/planted/main.py"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.functions_import_shared_only, MAIN, "from infra.pipeline import load_pipeline"),
        (rules.functions_import_shared_only, MAIN, "from . import helper"),
        (rules.functions_import_shared_only, MAIN, "import importlib\nimportlib.import_module('requests')"),
        (rules.shared_imports_nothing_of_its_users, DEEP, "import functions.index.main"),
        (rules.shared_imports_nothing_of_its_users, DEEP, "from tests.stack import Stack"),
        (rules.shared_imports_nothing_of_its_users, DEEP, "import importlib\nimportlib.import_module(name)"),
        (rules.shared_imports_nothing_of_its_users, DEEP, "from .bulk import Write"),
        (rules.packages_import_lower_layers_only, "shared/clock.py", "from shared.gcp import pubsub"),
        (rules.packages_import_lower_layers_only, "shared/gcp/a.py", "import shared.web.routing"),
        (rules.packages_import_lower_layers_only, "shared/oauth/a.py", "from shared import youtube"),
        (
            rules.packages_import_lower_layers_only,
            "shared/youtube/egress/a.py",
            "from shared.search import b",
        ),
        (rules.web_serves_any_use_case, "shared/web/a.py", "def f():\n    import shared.youtube.captions"),
        (rules.youtube_alone_imports_the_transcript_library, MAIN, "import youtube_transcript_api as api"),
        (rules.infra_imports_few_modules_of_shared, "infra/a.py", "import shared.pipeline.ledger"),
        (rules.infra_imports_few_modules_of_shared, "infra/a.py", "from shared import startup as begin"),
        (rules.infra_imports_few_modules_of_shared, "infra/a.py", "from functions.index import main"),
        (rules.config_alone_reads_the_environment, DEEP, "import os\nos.environ['PORT']"),
        (rules.config_alone_reads_the_environment, DEEP, "import os as system\nsystem.getenv('PORT')"),
        (rules.config_alone_reads_the_environment, DEEP, "from os import environ\nprint(environ)"),
        (
            rules.clients_are_built_where_they_are_wrapped,
            "shared/gcp/firestore.py",
            "from google.cloud.pubsub_v1 import PublisherClient as P\nP()",
        ),
        (
            rules.clients_are_built_where_they_are_wrapped,
            DEEP,
            "import elasticsearch\nelasticsearch.Elasticsearch('http://x')",
        ),
        (
            rules.clients_are_built_where_they_are_wrapped,
            MAIN,
            "from googleapiclient.discovery import build\nbuild('youtube', 'v3')",
        ),
        (
            rules.clients_are_built_where_they_are_wrapped,
            "shared/youtube/session.py",
            "import requests\nwith requests.Session() as s: pass",
        ),
        (
            rules.clients_are_built_where_they_are_wrapped,
            "shared/youtube/captions.py",
            "from shared.youtube.session import Session\nSession('https://x')",
        ),
        (rules.boundary_objects_are_handed_in, DEEP, "from shared.gcp.pubsub import Topics as T\nT(config)"),
        (rules.nothing_happens_at_import, DEEP, "from shared import startup\nconfig = startup.begin()"),
        (
            rules.nothing_happens_at_import,
            "functions/fetcher/worker.py",
            "from shared.gcp.firestore import Firestore\nclass A:\n    db = Firestore(None)",
        ),
        (rules.functions_begin_once, MAIN, "from shared import startup\nstartup.begin()\nstartup.begin()"),
        (
            rules.functions_begin_once,
            MAIN,
            "from shared import config, startup\nstartup.begin()\ndef f():\n    config.load()",
        ),
        (rules.modules_have_no_state, DEEP, "import functools\n@functools.cache\ndef f(): pass"),
        (rules.modules_have_no_state, DEEP, "X = 1\ndef f():\n    global X\n    X = 2"),
        (rules.modules_have_no_state, DEEP, "_KNOWN: dict[str, str] = {}"),
        (rules.modules_have_no_state, DEEP, "import threading\n_LOCK = threading.Lock()"),
        (rules.modules_have_no_state, DEEP, "from shared.lazy import Lazy\nclient = Lazy(make)"),
        (rules.modules_have_no_state, DEEP, "_KNOWN = {'a': 1}\ndef f():\n    _KNOWN['b'] = 2"),
        (
            rules.modules_have_no_state,
            DEEP,
            "_SEEN = [1]\nclass A:\n    def f(self):\n        _SEEN.append(2)",
        ),
        (rules.outbound_calls_have_timeouts, DEEP, "from requests import post\npost('https://x', json={})"),
        (
            rules.outbound_calls_have_timeouts,
            DEEP,
            "import urllib.request\nurllib.request.urlopen('https://x')",
        ),
        (rules.outbound_calls_have_timeouts, DEEP, "import socket\nsocket.create_connection(('x', 1))"),
        (rules.outbound_calls_have_timeouts, DEEP, "query.stream(retry=None)"),
        (rules.outbound_calls_have_timeouts, DEEP, "batch.commit()"),
        (rules.outbound_calls_have_timeouts, DEEP, "publisher.publish(path, data)"),
    ],
)
def test_the_rule_objects(rule: Rule, path: str, text: str) -> None:
    assert rule(Source(path, text)), f"{rule.__name__} should object to {text!r}"


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (
            rules.functions_import_shared_only,
            MAIN,
            "from flask import Request\nfrom shared.web.routing import R",
        ),
        (rules.packages_import_lower_layers_only, "shared/web/a.py", "from shared.accounts.auth import Auth"),
        (rules.packages_import_lower_layers_only, "shared/gcp/a.py", "from shared import clock, lazy"),
        (
            rules.packages_import_lower_layers_only,
            "shared/gcp/a.py",
            "from shared.gcp.firestore import Commit",
        ),
        (
            rules.infra_imports_few_modules_of_shared,
            "infra/a.py",
            "from shared.config import Config\nimport infra.b",
        ),
        (
            rules.config_alone_reads_the_environment,
            DEEP,
            "import os\nos.path.join('a', 'b')\nenviron = {}\nenviron['a'] = 1",
        ),
        (rules.clients_are_built_where_they_are_wrapped, DEEP, "class Session: ...\nSession()"),
        (
            rules.clients_are_built_where_they_are_wrapped,
            "shared/search/server.py",
            "from elasticsearch import Elasticsearch\nElasticsearch('http://x')",
        ),
        (rules.boundary_objects_are_handed_in, DEEP, "def f(topics): topics.publish('videos', [])"),
        (
            rules.nothing_happens_at_import,
            DEEP,
            "from shared import config\ndef f():\n    return config.load()",
        ),
        (rules.nothing_happens_at_import, MAIN, "from shared import startup\nconfig = startup.begin()"),
        (rules.modules_have_no_state, DEEP, "_NAMES = {'a': 1}\ndef f(text): return _NAMES.get(text)"),
        (rules.modules_have_no_state, DEEP, "names = [1]\ndef f():\n    names = []\n    names.append(1)"),
        (rules.modules_have_no_state, DEEP, "class A:\n    def __init__(self): self.known = {}"),
        (rules.outbound_calls_have_timeouts, DEEP, "import requests\nrequests.get('https://x', timeout=3)"),
        (rules.outbound_calls_have_timeouts, DEEP, "def f(self): self._topics.publish('videos', [])"),
    ],
)
def test_the_rule_leaves_alone(rule: Rule, path: str, text: str) -> None:
    assert rule(Source(path, text)) == []
