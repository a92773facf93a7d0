"""infra/pipeline.yaml says what each function uses in the cloud. Here it is compared with the code."""

from __future__ import annotations

import ast
import re
from math import ceil
from typing import Any

import pytest
import yaml

from infra.pipeline import PIPELINE_FILE, SPARE_THREADS, Cloud, load_pipeline
from infra.staging import ROOT, functions
from shared.config import Config
from tests.unit.code_uses import CONFIG, SERVER, STORE, TOPICS, uses
from tests.unit.source_code import Source

FILE: dict[str, Any] = yaml.safe_load(PIPELINE_FILE.read_text(encoding="utf-8"))
PIPELINE = load_pipeline(Config.from_env({}))
DEFINED = {function.name: function for function in PIPELINE.functions}
CLOUD: dict[str, Cloud] = {name: each.cloud for name, each in DEFINED.items() if each.cloud}
#: Variables whose values nobody else may read.
SECRETS = {
    "ELASTICSEARCH_API_KEY",
    "GOOGLE_OAUTH_CLIENT_SECRET",
    "GRANT_ENCRYPTION_KEYS",
    "PROXY_URL",
    "WEBSHARE_PROXY_PASSWORD",
    "YOUTUBE_API_KEY",
}
#: Secrets that the code could read and never does, and why.
NEVER_READ = {("library", "YOUTUBE_API_KEY"): "it asks YouTube only in a user's name, without our key"}
every = pytest.mark.parametrize("name", sorted(CLOUD))


def test_every_function_says_what_it_uses() -> None:
    # `web` stands apart: it takes the place of the functions with routes.
    assert set(CLOUD) == set(DEFINED) == set(functions()) - {"web"}


@every
def test_topics_are_those_that_the_code_publishes_to(name: str) -> None:
    found = uses(name)
    rejects = {"dead-letters"} if f"{TOPICS}.reject" in found.reached else set()
    assert set(CLOUD[name].publishes) == found.topics | rejects
    assert set(CLOUD[name].inspects) == ({"playlists"} if f"{TOPICS}.ping" in found.reached else set())


@every
def test_secrets_are_those_that_the_code_reads(name: str) -> None:
    read = {field.upper() for field in uses(name).fields} & SECRETS
    assert set(CLOUD[name].secrets) == {each for each in read if (name, each) not in NEVER_READ}


@every
def test_the_store_is_written_to_only_by_those_who_may(name: str) -> None:
    reached = uses(name).reached
    expected = "user" if f"{STORE}.commit" in reached else "viewer" if STORE in reached else "none"
    assert CLOUD[name].store == expected


@every
def test_the_search_server_is_reached_by_those_who_ask_it(name: str) -> None:
    assert CLOUD[name].elasticsearch is (SERVER in uses(name).reached)


@every
def test_the_environment_holds_what_the_function_requires_and_reads(name: str) -> None:
    given = {*CLOUD[name].environment, *CLOUD[name].secrets}
    given |= {"ELASTICSEARCH_URL"} if CLOUD[name].elasticsearch else set()
    assert set(_required(name)) <= given
    read = {field.upper() for field in uses(name).fields}
    assert set(CLOUD[name].environment) <= read


def _required(name: str) -> list[str]:
    """The variables without which a deployed function does not start."""
    source = Source.read(ROOT, ROOT / "functions" / name / "main.py")
    begin = next(call for call, called in source.calls() if called == "shared.startup.begin")
    return [str(each.value) for each in begin.args if isinstance(each, ast.Constant)]


def test_functions_with_routes_get_what_the_sign_in_needs() -> None:
    for name, function in DEFINED.items():
        if function.routes:
            needed = {"PUBLIC_URL", "GOOGLE_OAUTH_CLIENT_ID", "ALLOWED_USERS", "OPERATORS"}
            assert needed <= set(CLOUD[name].environment)


def test_the_code_is_followed_through_objects_and_modules() -> None:
    reached = uses("search").reached
    assert "shared.accounts.tokens.Tokens.find" in reached, "an object of an object"
    assert "shared.library.memberships.titles" in reached, "a function of a module"
    assert f"{CONFIG}.oauth" in {f"{CONFIG}.{each}" for each in uses("account").fields}


def test_an_ack_deadline_is_not_below_the_time_of_the_function() -> None:
    for subscription in PIPELINE.subscriptions:
        assert subscription.ack_deadline_seconds >= DEFINED[subscription.name].timeout_seconds


def test_in_the_cloud_no_message_has_few_deliveries() -> None:
    for each in PIPELINE.subscriptions:
        attempts = each.cloud_max_delivery_attempts or each.max_delivery_attempts
        assert attempts is None or attempts >= 50, each.name


def test_the_fetcher_takes_more_deliveries_than_it_may_send_to_youtube() -> None:
    local = ceil(1.3 * Config.from_env({}).fetch_concurrency) + SPARE_THREADS
    assert CLOUD["fetcher"].concurrency > local
    assert CLOUD["fetcher"].instances == 1


def test_a_worker_pulls_with_the_values_of_a_subscription() -> None:
    like = {each["like"] for each in FILE["pull_subscriptions"].values()}
    assert like <= {each.name for each in PIPELINE.subscriptions}


# -- Firestore ---------------------------------------------------------------------------------------


def _queries() -> tuple[set[str], set[str]]:
    """The collections that a query has conditions on, or sorts by a field, and those that are only listed."""
    conditioned, listed = set[str](), set[str]()
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for call in ast.walk(Source.read(ROOT, path).tree):
            if not (isinstance(call, ast.Call) and call.args):
                continue
            function, arguments = ast.unparse(call.func).rpartition(".")[2], call.args
            if function == "delete_all":
                # Its first argument is the database.
                arguments = arguments[1:]
            elif function not in ("query", "count", "query_group") or not isinstance(
                call.func, ast.Attribute
            ):
                continue
            where = (
                re.sub(r"\{[^}]*\}", "{}", ast.unparse(arguments[0]))
                .removeprefix("f")
                .strip("'\"")
                .rpartition("/")[2]
            )
            if not re.fullmatch(r"[a-z_]+", where) or "'" not in ast.unparse(arguments[0]):
                continue
            sorts = [each.value for each in call.keywords if each.arg == "order_by"]
            by_field = any(ast.unparse(each) != "'__name__'" for each in sorts)
            (conditioned if arguments[1:] or by_field else listed).add(where)
    return conditioned, listed


def test_only_collections_that_no_query_has_conditions_on_are_without_indexes() -> None:
    conditioned, listed = _queries()
    assert {"jobs", "ledger", "sessions", "api_tokens"} <= conditioned
    assert {"memberships", "transcripts", "egress", "erasures"} <= listed
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    paths = re.findall(r"^\| `((?:[a-z_]+/\{[^}`]+\}/?)+)`", architecture, re.MULTILINE)
    stored = {path.split("/")[-2] for path in paths}
    living = {each["collection"] for each in FILE["firestore"]["time_to_live"]}
    assert set(FILE["firestore"]["unqueried_collections"]) == stored - conditioned - living


def test_composite_indexes_are_for_queries_of_the_code() -> None:
    conditioned, _ = _queries()
    for index in FILE["firestore"]["composite_indexes"]:
        assert index["collection"] in conditioned
        assert len(index["fields"]) > 1
