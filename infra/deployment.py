"""The functions of a deployment without a domain, from ``infra/pipeline.yaml``, and the variables of each.

``./emulators.sh up --push`` runs this. ``infra/plan_differences.py`` compares it with Terraform's plans.
"""

from __future__ import annotations

from collections.abc import Iterable

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
