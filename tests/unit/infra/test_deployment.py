"""infra/deployment.py: the pipeline as it is deployed. infra/plan_differences.py: whether a plan agrees."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infra.deployment import cloud_name, deployed, variables
from infra.pipeline import Function, PipelineError, load_pipeline
from infra.plan_differences import differences, main
from shared.config import Config

PIPELINE = load_pipeline(Config.from_env({}))


def _functions(domain: bool = False) -> dict[str, Function]:
    return {each.name: each for each in deployed(PIPELINE, domain=domain).functions}


def test_web_takes_the_place_of_the_functions_with_routes() -> None:
    internal = ["planner", "fetcher", "indexer", "embedder", "dead_letters", "sweep", "refresh", "reindex"]
    assert list(_functions()) == ["web", *internal]
    assert set(_functions(domain=True)) == {each.name for each in PIPELINE.functions}


def test_web_gets_what_they_get() -> None:
    web, pipeline = _functions()["web"], deployed(PIPELINE)
    together: set[str] = set()
    for each in PIPELINE.functions:
        if each.routes:
            together |= variables(each, PIPELINE)
            assert set(each.routes) <= set(web.routes)
    assert variables(web, pipeline) == together
    assert web.cloud is not None
    assert (web.cloud.store, web.cloud.publishes) == ("user", ("playlists", "videos"))
    assert "YOUTUBE_API_KEY" in together
    assert "EGRESS_NAME" not in together


@pytest.mark.parametrize("domain", [True, False])
def test_a_function_has_as_many_threads_as_it_gets_requests(domain: bool) -> None:
    for function in _functions(domain).values():
        assert function.cloud is not None
        assert function.threads == function.cloud.concurrency


def test_the_numbers_are_those_of_the_cloud() -> None:
    there = deployed(PIPELINE)
    attempts = {each.name: each.max_delivery_attempts for each in there.subscriptions}
    assert attempts == dict.fromkeys(attempts, 100) | {"dead_letters": None}
    assert [each.local_every_seconds for each in there.schedules] == [60, 300]


def test_a_file_that_says_too_little_about_the_cloud_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"^web: expected"):
        deployed(replace(PIPELINE, web=None))
    silent = tuple(replace(each, cloud=None) for each in PIPELINE.functions)
    with pytest.raises(PipelineError, match=r"^functions\.index\.cloud: expected"):
        deployed(replace(PIPELINE, functions=silent))


def _plan() -> dict[str, Any]:
    """A plan that agrees with the file, as ``terraform show -json`` prints it."""
    ours = deployed(PIPELINE)
    resources: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    for function in ours.functions:
        assert function.cloud is not None
        of_function = {"type": "google_cloudfunctions2_function", "index": cloud_name(function.name)}
        secrets = [{"key": each} for each in function.cloud.secrets]
        service = {
            "max_instance_request_concurrency": function.cloud.concurrency,
            "secret_environment_variables": secrets,
        }
        resources.append({**of_function, "values": {"service_config": [service]}})
        names = variables(function, ours) - {*function.cloud.secrets, *function.cloud.environment}
        known = {name: "yts-1234" for name in names if name != "ELASTICSEARCH_URL"}
        unknown = {name: True for name in names if name == "ELASTICSEARCH_URL"}
        change = {
            "after": {"service_config": [{"environment_variables": known}]},
            "after_unknown": {"service_config": [{"environment_variables": unknown}]},
        }
        changes.append({**of_function, "change": change})
    for each in ours.subscriptions:
        name, attempts = cloud_name(each.name), each.max_delivery_attempts
        values = {
            "name": name,
            "ack_deadline_seconds": each.ack_deadline_seconds,
            "push_config": [{}],
            "retry_policy": [
                {
                    "minimum_backoff": f"{each.minimum_backoff_seconds}s",
                    "maximum_backoff": f"{each.maximum_backoff_seconds}s",
                }
            ],
            "dead_letter_policy": [{"max_delivery_attempts": attempts}] if attempts else [],
        }
        resources.append({"type": "google_pubsub_subscription", "index": name, "values": values})
    return {"planned_values": {"root_module": {"resources": resources}}, "resource_changes": changes}


def _values(plan: dict[str, Any], index: str, kind: str = "subscription") -> dict[str, Any]:
    resources = plan["planned_values"]["root_module"]["resources"]
    (found,) = (each for each in resources if each["index"] == index and each["type"].endswith(kind))
    values: dict[str, Any] = found["values"]
    return values


def test_a_plan_that_agrees_has_no_differences() -> None:
    assert list(differences(_plan(), PIPELINE)) == []


def _remove(plan: dict[str, Any], index: str) -> None:
    resources = plan["planned_values"]["root_module"]["resources"]
    resources[:] = [each for each in resources if each["index"] != index]


def _set_variable(plan: dict[str, Any], index: str, name: str, value: str) -> None:
    (change,) = (each["change"] for each in plan["resource_changes"] if each["index"] == index)
    change["after"]["service_config"][0]["environment_variables"][name] = value


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda plan: _values(plan, "planner").update(ack_deadline_seconds=10),
            "subscription planner: deadline: expected 600 as in pipeline.yaml, found 10",
        ),
        (
            lambda plan: _values(plan, "indexer").update(dead_letter_policy=[]),
            "subscription indexer: attempts: expected 100 as in pipeline.yaml, found None",
        ),
        (
            lambda plan: _values(plan, "fetcher").update(push_config=[]),
            "subscription fetcher: push: expected True as in pipeline.yaml, found False",
        ),
        (
            lambda plan: _values(plan, "dead-letters")["retry_policy"][0].update(maximum_backoff="60s"),
            "subscription dead-letters: backoff: expected ['1s', '600s'] as in pipeline.yaml,"
            " found ['1s', '60s']",
        ),
        (
            lambda plan: _values(plan, "fetcher", "function")["service_config"][0].update(
                max_instance_request_concurrency=1
            ),
            "function fetcher: concurrency: expected 200 as in pipeline.yaml, found 1",
        ),
    ],
)
def test_another_value_in_a_plan_is_named(change: Callable[[dict[str, Any]], Any], expected: str) -> None:
    plan = _plan()
    change(plan)
    assert list(differences(plan, PIPELINE)) == [expected]


def test_another_variable_in_a_plan_is_named() -> None:
    plan = _plan()
    _set_variable(plan, "sweep", "STALLED_AFTER_SECONDS", "60")
    (found,) = differences(plan, PIPELINE)
    assert found.startswith("function sweep: variables: expected ")
    assert "STALLED_AFTER_SECONDS" in found.split("found")[1]


def test_a_function_that_would_refuse_a_variable_is_named() -> None:
    plan = _plan()
    _set_variable(plan, "web", "ALLOWED_USERS", "me*@example.org")
    (found,) = differences(plan, PIPELINE)
    assert found.startswith("function web: would not start. ALLOWED_USERS: expected e-mail addresses")


def test_a_function_or_subscription_that_is_not_planned_is_named() -> None:
    plan = _plan()
    _remove(plan, "indexer")
    functions, subscription = differences(plan, PIPELINE)
    assert functions.startswith("functions: expected [")
    assert subscription == "subscription indexer: expected one, found none"


def test_videos_may_be_pulled_at_home_instead() -> None:
    plan = _plan()
    resources = plan["planned_values"]["root_module"]["resources"]
    (fetcher,) = (each for each in resources if each["values"].get("name") == "fetcher")
    fetcher["index"] = fetcher["values"]["name"] = "fetcher-home"
    fetcher["values"]["push_config"] = []
    assert list(differences(plan, PIPELINE)) == []
    fetcher["values"]["ack_deadline_seconds"] = 30
    (found,) = differences(plan, PIPELINE)
    assert found == "subscription fetcher-home: deadline: expected 120 as in pipeline.yaml, found 30"


def test_the_command_prints_the_differences_and_fails_if_there_are_any(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plan = tmp_path / "plan.json", _plan()
    file.write_text(json.dumps(plan))
    assert main([str(file)]) == 0
    _values(plan, "planner").update(ack_deadline_seconds=10)
    file.write_text(json.dumps(plan))
    assert main([str(file)]) == 1
    assert "subscription planner: deadline: expected 600" in capsys.readouterr().out
    assert main([]) == 2
