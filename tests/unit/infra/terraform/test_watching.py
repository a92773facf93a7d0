"""infra/terraform/watching.tf and docs/operations.md name the same log lines and limits."""

from __future__ import annotations

import re

from infra.pipeline import load_pipeline
from infra.staging import ROOT
from shared.config import Config

WATCHING = (ROOT / "infra" / "terraform" / "watching.tf").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_line_that_is_looked_for_is_one_that_the_code_writes() -> None:
    lines = set(re.findall(r'jsonPayload\.message=\\"([^"$\\]+)\\"', WATCHING))
    lines |= set(re.findall(r'\bline = "([^"]+)"', WATCHING))
    assert {"nacked", "job put off", "message recorded as rejected"} <= lines
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "shared").rglob("*.py")))
    for line in lines:
        assert f"`{line}`" in OPERATIONS, line
        assert f'"{line}"' in code, line


def test_messages_wait_as_long_as_the_documentation_says() -> None:
    found = re.search(r"patience = \{(.*)\}", WATCHING)
    assert found is not None
    pairs = (pair.split("=") for pair in found[1].split(","))
    patience = {name.strip().replace("-", "_"): int(minutes) for name, minutes in pairs}
    rows = re.findall(
        r"^\|.*(?:oldest_unacked_message_age|… of).*\| > (\d+) min \|", OPERATIONS, re.MULTILINE
    )
    documented = dict(zip(("planner", "indexer", "embedder", "dead_letters"), map(int, rows), strict=True))
    assert {name: patience[name] for name in documented} == documented
    names = {each.name for each in load_pipeline(Config.from_env({})).subscriptions}
    assert names | {"fetcher_home"} == set(patience)
