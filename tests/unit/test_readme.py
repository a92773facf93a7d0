"""README.md lists every variable, and none that does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields

import pytest

from infra.pipeline import load_pipeline
from infra.staging import ROOT
from shared.config import Config
from tests.unit.functions import endpoints

README = (ROOT / "README.md").read_text(encoding="utf-8")
PIPELINE = load_pipeline(Config.from_env({}))
#: Variables that no user sets, and why.
INTERNAL = {
    "K_SERVICE": "the platform and the local run set it: the name of the function",
    "STORAGE_FULL_FILE": "the local run sets it: where it says that its memory is nearly full",
    "STORAGE_LOADING_FILE": "the local run sets it: where it says that it loads its last save",
    "FAILPOINTS_DIR": "tests set it: where they arm failpoints",
}
DEFAULTS = {field.name.upper(): field.default for field in fields(Config)}


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of each row of the table below a heading, without its head."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    for line in lines[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


VARIABLES = {row[0].strip("`"): row[1] for row in rows("Configuration")}


def test_the_table_has_no_row_twice() -> None:
    assert len(list(rows("Configuration"))) == len(VARIABLES)


def test_every_variable_is_in_the_table_or_internal() -> None:
    assert VARIABLES.keys() & INTERNAL.keys() == set()
    assert VARIABLES.keys() | INTERNAL.keys() == DEFAULTS.keys()


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_the_default_in_the_table_is_that_of_the_code(name: str) -> None:
    default, cell = DEFAULTS[name], VARIABLES[name]
    assert default is not MISSING
    if default in (None, ()):
        assert not cell.startswith("`"), f"{name} has no default, and the table shows one"
    else:
        assert re.match(rf"`{re.escape(str(default))}`($|;)", cell)


def test_functions_without_a_route_of_the_gateway_are_named() -> None:
    operators = [each.name for each in PIPELINE.functions if each.trigger == "http" and not each.routes]
    assert [endpoints(name) for name in operators] == [[("POST", "/", True)]] * len(operators)
    named = " and ".join(f"`{name}`" for name in operators)
    assert f"The functions {named} answer `POST /`." in README
