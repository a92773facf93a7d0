"""Each language has the analyzer that the documentation says."""

from __future__ import annotations

import re

import pytest

from infra.staging import ROOT
from shared.search.index import languages
from shared.search.index.languages import ANALYZERS, LANGUAGES, analyzer_of

DOCS = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("language", "analyzer"),
    [
        ("en", "english"),
        ("en-US", "english"),
        ("pt-BR", "portuguese"),
        ("zh-Hans", "cjk"),
        ("zh_TW", "cjk"),
        ("iw", None),
        ("tlh", None),
        ("", None),
        (None, None),
    ],
)
def test_a_language_has_an_analyzer(language: str | None, analyzer: str | None) -> None:
    assert analyzer_of(language) == analyzer
    assert analyzer is None or analyzer in ANALYZERS


def test_the_documentation_lists_every_language() -> None:
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+`) \| ([^|]+) \|$", DOCS, re.MULTILINE)
    listed = {
        code: rules.split("(")[0].strip().lower()
        for codes, rules in rows
        for code in re.findall("`([a-z]+)`", codes)
    }
    assert listed == LANGUAGES


def test_own_analyzers_have_other_names_than_those_of_the_server() -> None:
    own = languages.analysis()["analyzer"]
    assert own
    assert not set(own) & set(ANALYZERS)
    assert {languages.index_analyzer(name) for name in ANALYZERS} >= set(own)
