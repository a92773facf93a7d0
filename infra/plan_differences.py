"""``python -m infra.plan_differences PLAN.json``

Compares a plan of infra/terraform with what ``infra/deployment.py`` makes of ``infra/pipeline.yaml``,
so that ``./emulators.sh up --push`` runs what Terraform deploys. And reads the planned variables as each
function does, because a function that refuses them would not start. PLAN.json: of ``terraform show -json``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.deployment import WEB, cloud_name, deployed, variables
from infra.pipeline import Function, Pipeline, load_pipeline
from shared.config import Config, ConfigError

_FUNCTION, _SUBSCRIPTION = "google_cloudfunctions2_function", "google_pubsub_subscription"


def differences(plan: dict[str, Any], pipeline: Pipeline) -> Iterator[str]:
    """One sentence for each value of a plan (``terraform show -json``) that ``deployed`` gives otherwise."""
    functions, subscriptions = _planned(plan, _FUNCTION), _planned(plan, _SUBSCRIPTION)
    ours = deployed(pipeline, domain=WEB not in functions)
    expected = {cloud_name(each.name): each for each in ours.functions}
    yield from _differ("functions", sorted(expected), sorted(functions))
    for name in sorted(expected.keys() & functions.keys()):
        yield from _of_function(expected[name], ours, functions[name]["service_config"][0], plan)

    for each in ours.subscriptions:
        name = cloud_name(each.name)
        # With egress = none workers pull the videos, and nothing is pushed to the fetcher.
        planned = subscriptions.get(name) or subscriptions.get(f"{name}-home")
        if planned is None:
            yield f"subscription {name}: expected one, found none"
            continue
        retry, dead = planned["retry_policy"][0], planned["dead_letter_policy"]
        where = f"subscription {planned['name']}"
        yield from _differ(f"{where}: push", name in subscriptions, bool(planned["push_config"]))
        yield from _differ(f"{where}: deadline", each.ack_deadline_seconds, planned["ack_deadline_seconds"])
        yield from _differ(
            f"{where}: backoff",
            [f"{each.minimum_backoff_seconds}s", f"{each.maximum_backoff_seconds}s"],
            [retry["minimum_backoff"], retry["maximum_backoff"]],
        )
        attempts = dead[0]["max_delivery_attempts"] if dead else None
        yield from _differ(f"{where}: attempts", each.max_delivery_attempts, attempts)


def _of_function(
    function: Function, pipeline: Pipeline, planned: dict[str, Any], plan: dict[str, Any]
) -> Iterator[str]:
    where = f"function {cloud_name(function.name)}"
    environment = _environment(plan, cloud_name(function.name))
    try:
        Config.from_env({name: value for name, value in environment.items() if value is not None})
    except ConfigError as error:
        yield f"{where}: would not start. {error}"
    given = {*environment, *(each["key"] for each in planned["secret_environment_variables"])}
    names = variables(function, pipeline)
    # An empty variable is not set, and a secret that nothing uses is not made.
    optional = {*function.cloud.environment, *function.cloud.secrets} if function.cloud else set()
    yield from _differ(f"{where}: variables", sorted(names - optional), sorted(given - optional))
    concurrency = planned["max_instance_request_concurrency"]
    yield from _differ(f"{where}: concurrency", function.threads, concurrency)


def _environment(plan: dict[str, Any], name: str) -> dict[str, str | None]:
    """The variables of a function. None: the value is known only after the deployment."""
    (change,) = (
        each["change"]
        for each in plan["resource_changes"]
        if each["type"] == _FUNCTION and each["index"] == name
    )
    known, unknown = (
        change[each]["service_config"][0].get("environment_variables") or {}
        for each in ("after", "after_unknown")
    )
    return {**dict.fromkeys(unknown), **known}


def _planned(plan: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The values of the resources of a kind, by their keys in Terraform."""
    resources = plan["planned_values"]["root_module"].get("resources", [])
    return {each["index"]: each["values"] for each in resources if each["type"] == kind}


def _differ(what: str, expected: Any, found: Any) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {expected} as in pipeline.yaml, found {found}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m infra.plan_differences PLAN.json\n")
        return 2
    plan = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    found = list(differences(plan, load_pipeline(Config.from_env({}))))
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"{len(found)} differences from the local run with pushes\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
