"""What infra/terraform/variables.tf accepts, the functions accept too. Otherwise none of them would start."""

from __future__ import annotations

import re

import pytest

from infra.staging import ROOT
from shared.config import Config, ConfigError

VARIABLES = (ROOT / "infra" / "terraform" / "variables.tf").read_text(encoding="utf-8")


def accepted(variable: str, value: str) -> bool:
    """Whether each pattern of a variable's validation accepts one of its values."""
    (block,) = re.findall(rf'^variable "{variable}" \{{$(.*?)^\}}$', VARIABLES, re.MULTILINE | re.DOTALL)
    patterns = re.findall(r'can\(regex\("(.*?)", each\)\)', block)
    assert patterns
    either = value == "*" and 'each == "*"' in block
    return either or all(re.search(each.replace("\\\\", "\\"), value) for each in patterns)


@pytest.mark.parametrize(
    "value",
    ["me@example.org", "Me@Example.Org", "a.b-c_d%e'f+tag@sub.example.co.uk", "9@8.example.museum"],
)
def test_an_address_may_be_an_operator_and_come_in(value: str) -> None:
    assert accepted("operators", value)
    assert accepted("allowed_users", value)
    assert Config.from_env({"OPERATORS": value.lower(), "ALLOWED_USERS": value.lower()})


@pytest.mark.parametrize("value", ["example.org", "@example.org", "Sub.Example.CO.uk", "*"])
def test_a_domain_may_come_in(value: str) -> None:
    assert accepted("allowed_users", value)
    assert not accepted("operators", value)
    assert Config.from_env({"ALLOWED_USERS": value.lower()})


@pytest.mark.parametrize(
    "value",
    [
        "", "me", "me@", "me@example", "me*@example.org", "*@example.org", "*.example.org", "a@b@example.org",
        "a@example.org,b@example.org", "a b@example.org", "me@straße.de", "m\u00e9@example.org", "me@.org",
        "example.org ", "example..org", "@", "**",
    ],
)  # fmt: skip
def test_what_names_nobody_is_refused(value: str) -> None:
    assert not accepted("operators", value)
    assert not accepted("allowed_users", value)


def test_the_functions_refuse_stars_in_addresses_too() -> None:
    with pytest.raises(ConfigError):
        Config.from_env({"ALLOWED_USERS": "me*@example.org"})
