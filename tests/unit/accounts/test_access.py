"""Who may come in: addresses that Google has verified, domains, everybody, or nobody."""

from __future__ import annotations

from typing import Any

import pytest

from infra.staging import ROOT
from shared.accounts.access import SENTENCES, Access, Reason
from shared.config import Config, ConfigError

CLOUD = {"K_SERVICE": "account", "GOOGLE_CLOUD_PROJECT": "a-real-project"}
LOCAL = {"K_SERVICE": "account", "FIRESTORE_EMULATOR_HOST": "a:1"}


def refusal(email: str | None, environment: dict[str, str], **profile: Any) -> str | None:
    access = Access(Config.from_env(environment))
    # An account that its organisation manages.
    stored = {"email": email, "email_verified": True, "hosted_domain": "example.org"}
    return access.refusal({**stored, **profile})


@pytest.mark.parametrize(
    ("allowed", "email"),
    [
        ("ada@example.org", "ada@example.org"),
        (" Ada@Example.org , bob@example.org", "ADA@example.ORG"),
        ("@example.org", "anybody@example.org"),
        ("bob@example.net,@Example.ORG", "ada+lists@example.org"),
        ("example.org", "anybody@example.org"),
        ("bob@example.net,Example.ORG", "Ada@EXAMPLE.org"),
        ("*", "ada@gmail.com"),
        ("bob@example.org,*", None),
    ],
)
def test_who_is_named_may_come_in(allowed: str, email: str | None) -> None:
    assert refusal(email, CLOUD | {"ALLOWED_USERS": allowed}) is None


@pytest.mark.parametrize(
    ("allowed", "email"),
    [
        ("ada@example.org", "bob@example.org"),
        ("ada@example.org", "ada@example.org.evil.net"),
        ("@example.org", "ada@sub.example.org"),
        ("@example.org", "ada@notexample.org"),
        ("@example.org", "example.org"),
        ("@example.org", "ada@example.org@evil.net"),
        ("@example.org", ""),
        ("@example.org", None),
        ("example.org", "ada@sub.example.org"),
        ("example.org", "ada@evil-example.org"),
        # Letters that only look alike, or become alike when their case is folded.
        ("@strasse.de", "me@straße.de"),
        ("boss@example.org", "bo\u017fs@example.org"),
        ("kai@example.org", "\u212aai@example.org"),
    ],
)
def test_everybody_else_is_turned_away(allowed: str, email: str | None) -> None:
    assert refusal(email, CLOUD | {"ALLOWED_USERS": allowed}) == "not_allowed"


@pytest.mark.parametrize("hosted", [None, ""])
def test_a_private_account_with_the_address_of_a_firm_is_not_of_the_firm(hosted: str | None) -> None:
    """Google has verified it once. It does not know that the person has left the firm."""
    reason = refusal("ada@example.org", CLOUD | {"ALLOWED_USERS": "example.org"}, hosted_domain=hosted)
    assert reason == "not_allowed"
    for allowed in ("ada@example.org", "*"):
        assert refusal("ada@example.org", CLOUD | {"ALLOWED_USERS": allowed}, hosted_domain=hosted) is None


def test_google_manages_its_own_addresses() -> None:
    assert refusal("ada@gmail.com", CLOUD | {"ALLOWED_USERS": "gmail.com"}, hosted_domain=None) is None


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_google_has_not_verified_is_nobodys(verified: object) -> None:
    environment = CLOUD | {"ALLOWED_USERS": "@example.org", "OPERATORS": "ada@example.org"}
    assert refusal("ada@example.org", environment, email_verified=verified) == "not_allowed"


def test_without_the_variable_a_deployment_admits_nobody_and_names_it() -> None:
    for blank in ("", " ", ","):
        reason = refusal("ada@example.org", CLOUD | {"ALLOWED_USERS": blank})
        assert reason == "nobody_allowed"
    assert "ALLOWED_USERS" in SENTENCES["nobody_allowed"]
    assert refusal("ada@example.org", LOCAL) is None
    # A local user has no address at all.
    assert Access(Config.from_env(LOCAL)).refusal({}) is None
    assert refusal("ada@example.org", LOCAL | {"ALLOWED_USERS": "@example.net"}) == "not_allowed"


def test_operators_are_always_admitted() -> None:
    environment = CLOUD | {"OPERATORS": "Ada@example.org"}
    assert refusal("ada@example.org", environment) is None
    assert refusal("ada@example.org", environment, suspended=True) is None
    assert refusal("bob@example.org", environment) == "nobody_allowed"
    access = Access(Config.from_env(environment))
    assert access.is_operator({"email": "ada@example.org", "email_verified": True})
    assert not access.is_operator({"email": "ada@example.org"})
    assert not access.is_operator({})


def test_no_operator_is_named_by_default() -> None:
    access = Access(Config.from_env(LOCAL))
    for profile in ({}, {"email": "", "email_verified": True}, {"email": None, "email_verified": True}):
        assert not access.is_operator(profile)


@pytest.mark.parametrize("environment", [CLOUD | {"ALLOWED_USERS": "*"}, LOCAL])
def test_a_suspended_user_is_turned_away(environment: dict[str, str]) -> None:
    assert refusal("ada@example.org", environment, suspended=True) == "suspended"
    assert refusal("ada@example.org", environment, suspended=False) is None


@pytest.mark.parametrize("reason", SENTENCES)
def test_the_page_says_the_same_as_the_server(reason: Reason) -> None:
    page = (ROOT / "frontend" / "app.js").read_text(encoding="utf-8")
    assert f'{reason}: "{SENTENCES[reason]}"' in page


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_USERS", "ada"),
        ("ALLOWED_USERS", "*.example.org"),
        ("ALLOWED_USERS", "*@example.org"),
        ("ALLOWED_USERS", "ada@example.org;bob@example.org"),
        ("OPERATORS", "*"),
        ("OPERATORS", "@example.org"),
        ("OPERATORS", "ada"),
    ],
)
def test_a_list_that_means_nothing_is_an_error(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: expected e-mail addresses"):
        Config.from_env({name: value})
