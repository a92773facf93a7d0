"""What a deployment without a domain makes of ``infra/pipeline.yaml``: its functions, and what each one gets.

``./emulators.sh up --push`` runs this. ``infra/plan_check.py`` compares it with the plans of infra/terraform.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec.structs import replace

from infra.pipeline import Cloud, Function, Pipeline, PipelineError

WEB = "web"
#: Variables that every function gets, besides those in the file. gunicorn makes a socket in XDG_RUNTIME_DIR.
ALWAYS = ("GOOGLE_CLOUD_PROJECT", "THREADS", "XDG_RUNTIME_DIR")


def cloud_name(name: str) -> str:
    """The name of a function or subscription in the cloud, where no name has an underscore."""
    return name.replace("_", "-")


def deployed(pipeline: Pipeline, *, domain: bool = False) -> Pipeline:
    """The pipeline with the functions and numbers of the cloud. Names are those of the code.

    ``domain``: a load balancer hands each route to its function. Otherwise `web` serves them all.

    Raises:
        PipelineError: the file says too little about the cloud.
    """
    functions = [each for each in pipeline.functions if domain or not each.routes]
    if not domain:
        functions.insert(0, _web(pipeline))
    return replace(
        pipeline,
        functions=tuple(replace(each, threads=_cloud(each).concurrency) for each in functions),
        subscriptions=tuple(
            replace(
                each,
                max_delivery_attempts=each.cloud_max_delivery_attempts or each.max_delivery_attempts,
            )
            for each in pipeline.subscriptions
        ),
        schedules=tuple(replace(each, local_every_seconds=each.every_seconds) for each in pipeline.schedules),
    )


def variables(function: Function, pipeline: Pipeline) -> frozenset[str]:
    """The names of all variables that the deployment gives to a function. Empty ones are not set."""
    cloud = _cloud(function)
    search = ("ELASTICSEARCH_URL",) if cloud.elasticsearch else ()
    return frozenset((*pipeline.environment, *ALWAYS, *search, *cloud.environment, *cloud.secrets))


def differences(plan: dict[str, Any], pipeline: Pipeline) -> Iterator[str]:
    """One sentence for each value of a plan (``terraform show -json``) that is not the one given here."""
    planned = {
        kind: {each["index"]: each["values"] for each in _resources(plan) if each["type"] == kind}
        for kind in ("google_cloudfunctions2_function", "google_pubsub_subscription")
    }
    functions, subscriptions = planned.values()
    ours = deployed(pipeline, domain=WEB not in functions)
    expected = {cloud_name(each.name): each for each in ours.functions}
    yield from _differ("functions", sorted(expected), sorted(functions))
    for name in expected.keys() & functions.keys():
        yield from _function_differences(expected[name], ours, functions[name]["service_config"][0], plan)
    for each in ours.subscriptions:
        # With egress = none nothing is pushed to the fetcher.
        if (values := subscriptions.get(cloud_name(each.name))) is not None:
            retry = values["retry_policy"][0]
            policy = values["dead_letter_policy"]
            yield from _differ(
                f"subscription {each.name}",
                (
                    each.ack_deadline_seconds,
                    f"{each.minimum_backoff_seconds}s",
                    f"{each.maximum_backoff_seconds}s",
                    each.max_delivery_attempts,
                ),
                (
                    values["ack_deadline_seconds"],
                    retry["minimum_backoff"],
                    retry["maximum_backoff"],
                    policy[0]["max_delivery_attempts"] if policy else None,
                ),
            )
    pulled = {each for each, values in subscriptions.items() if not values["push_config"]}
    missing = {cloud_name(each.name) for each in ours.subscriptions} - subscriptions.keys()
    yield from _differ(
        "subscriptions that are pulled instead", missing, {each.split("-")[0] for each in pulled} & missing
    )


def _function_differences(
    function: Function, pipeline: Pipeline, service: dict[str, Any], plan: dict[str, Any]
) -> Iterator[str]:
    where = f"function {function.name}"
    set_ = {
        *_environment_names(plan, cloud_name(function.name)),
        *(each["key"] for each in service["secret_environment_variables"]),
    }
    names, cloud = variables(function, pipeline), _cloud(function)
    # What is empty is not set, and a secret that nothing uses is not made.
    optional = {*cloud.environment, *cloud.secrets}
    yield from _differ(f"{where}: variables", sorted(names - optional), sorted(set_ - optional))
    yield from _differ(
        f"{where}: threads", function.threads, int(service["max_instance_request_concurrency"])
    )


def _environment_names(plan: dict[str, Any], name: str) -> set[str]:
    """The variables of a function, also those whose values are not known before the deployment."""
    for each in plan["resource_changes"]:
        if each["type"] == "google_cloudfunctions2_function" and each["index"] == name:
            change = each["change"]
            known = change["after"]["service_config"][0].get("environment_variables") or {}
            unknown = change["after_unknown"]["service_config"][0].get("environment_variables") or {}
            return {*known, *unknown} if isinstance(unknown, dict) else set(known)
    return set()


def _differ(what: str, expected: Any, found: Any) -> Iterator[str]:
    if expected != found:
        yield f"{what}: expected {expected}, found {found}"


def _resources(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan["planned_values"]["root_module"].get("resources", [])
    return [each for each in found if each["mode"] == "managed"]


def _web(pipeline: Pipeline) -> Function:
    """`web` takes the place of all functions with routes, and gets what they get."""
    if pipeline.web is None:
        raise PipelineError("web: expected what it may use in the cloud, found nothing")
    routed = [each for each in pipeline.functions if each.routes]
    clouds = [_cloud(each) for each in routed]
    return Function(
        name=WEB,
        trigger="http",
        memory_mb=pipeline.web.memory_mb,
        timeout_seconds=pipeline.web.timeout_seconds,
        threads=pipeline.web.concurrency,
        routes=tuple(route for each in routed for route in each.routes),
        cloud=Cloud(
            concurrency=pipeline.web.concurrency,
            instances=pipeline.web.instances,
            store="user" if any(each.store == "user" for each in clouds) else "viewer",
            elasticsearch=any(each.elasticsearch for each in clouds),
            publishes=_all(each.publishes for each in clouds),
            inspects=_all(each.inspects for each in clouds),
            secrets=_all(each.secrets for each in clouds),
            environment=_all(each.environment for each in clouds),
        ),
    )


def _all(names: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for each in names for name in each))


def _cloud(function: Function) -> Cloud:
    if function.cloud is None:
        raise PipelineError(f"functions.{function.name}.cloud: expected what it may use, found nothing")
    return function.cloud
