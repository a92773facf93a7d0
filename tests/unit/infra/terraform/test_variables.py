"""What infra/terraform/variables.tf accepts, the functions accept too. Otherwise none of them would start."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest
from msgspec import Meta

from infra.staging import ROOT
from shared.config import Config, ConfigError

TERRAFORM = ROOT / "infra" / "terraform"
VARIABLES = (TERRAFORM / "variables.tf").read_text(encoding="utf-8")
#: Variables of the local run, of the platform, and the addresses of Google's and YouTube's servers.
NOT_TO_BE_SET = re.compile(
    r"PORT|LOCAL_STATE_DIR|FIRESTORE_MEMORY_MB|STORAGE_\w+_FILE|\w+_EMULATOR_HOST|OPERATOR_TOKEN|FAILPOINTS_DIR|K_SERVICE"
    r"|YTS_(URL|TOKEN)|GOOGLE_OAUTH_(\w+_URI|ISSUER)|YOUTUBE_(API_ENDPOINT|BASE_URL|EMBED_BASE_URL)"
)


def block_of(variable: str) -> str:
    (block,) = re.findall(rf'^variable "{variable}" \{{$(.*?)^\}}$', VARIABLES, re.MULTILINE | re.DOTALL)
    return str(block)


def accepted(variable: str, value: str) -> bool:
    """Whether each pattern of a variable's validation accepts one of its values."""
    block = block_of(variable)
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


# -- environment -------------------------------------------------------------------------------------


def test_each_variable_is_set_by_the_deployment_or_may_be_set_or_is_not_for_the_cloud() -> None:
    listed = re.search(r"contains\(\[(.*?)\], each\)", block_of("environment"), re.DOTALL)
    assert listed is not None
    free = set(re.findall(r'"([A-Z_]+)"', listed[1]))
    files = (TERRAFORM / name for name in ("functions.tf", "secrets.tf", "topics.tf"))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    text += (ROOT / "infra" / "pipeline.yaml").read_text(encoding="utf-8")
    given = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)*\b", text))
    known = {each.name.upper() for each in fields(Config)}
    assert free <= known
    assert not free & given
    assert {each for each in known - free - given if not NOT_TO_BE_SET.fullmatch(each)} == set()
    assert not any(NOT_TO_BE_SET.fullmatch(each) for each in free)


def test_the_largest_numbers_are_those_of_the_functions() -> None:
    limits = {
        name.lower(): int(most)
        for name, most in re.findall(r"\b([A-Z_]+) += (\d+)\b", block_of("environment"))
    }
    hints = get_type_hints(Config, include_extras=True)
    for name, most in limits.items():
        (meta,) = [each for each in get_args(hints[name]) if isinstance(each, Meta)]
        assert (meta.ge, meta.le) == (1, most), name
    numbers = {
        name for name in hints if name.upper() in block_of("environment") and int in get_args(hints[name])
    }
    assert set(limits) == numbers
