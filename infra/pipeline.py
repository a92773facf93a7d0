"""Reads ``infra/pipeline.yaml`` for the local run, the tests and the deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml
from msgspec import Meta, Struct

from shared.config import Config

PIPELINE_FILE = Path(__file__).with_name("pipeline.yaml")

#: ``1.3 * $FETCH_CONCURRENCY``: a multiple of the variable.
_TIMES_FETCHES = re.compile(r"(?:(\d+(?:\.\d+)?) \* )?\$FETCH_CONCURRENCY")
#: The threads of a pubsub function beyond its concurrent deliveries: for probes and for redeliveries.
SPARE_THREADS = 4

_T = TypeVar("_T")
Backoff = Annotated[int, Meta(ge=0, le=600)]
Threads = Annotated[int, Meta(ge=1, le=2000)]


class PipelineError(ValueError):
    """The file is wrong. The message says where, what was expected, and what was found."""


class Subscription(Struct, frozen=True, forbid_unknown_fields=True):
    """A Pub/Sub subscription. It feeds the function of the same name."""

    name: str
    topic: str
    ack_deadline_seconds: Annotated[int, Meta(ge=10, le=600)]
    minimum_backoff_seconds: Backoff
    maximum_backoff_seconds: Backoff
    #: After this many attempts a message becomes a dead letter. None: it is redelivered for ever.
    max_delivery_attempts: Annotated[int, Meta(ge=5, le=100)] | None
    local_concurrency: Threads
    #: In the cloud, if it is another number there.
    cloud_max_delivery_attempts: Annotated[int, Meta(ge=5, le=100)] | None = None


class Cloud(Struct, frozen=True, forbid_unknown_fields=True):
    """What a function has and may do in the cloud. The file explains the fields."""

    concurrency: Annotated[int, Meta(ge=1, le=1000)]
    instances: Annotated[int, Meta(ge=1, le=1000)]
    store: Literal["user", "viewer", "none"] = "none"
    elasticsearch: bool = False
    publishes: tuple[str, ...] = ()
    inspects: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()


class Function(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployable function, in ``functions/NAME/main.py``."""

    name: str
    trigger: Annotated[str, Meta(pattern="^(http|pubsub)$")]
    memory_mb: Annotated[int, Meta(ge=128, le=32768)]
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)]
    threads: Threads
    #: The URL prefixes that the gateway hands to the function.
    routes: tuple[Annotated[str, Meta(pattern="^/(api/|mcp$)")], ...] = ()
    cloud: Cloud | None = None


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """The function that serves the page and all routes in a cloud without a domain of its own."""

    memory_mb: Annotated[int, Meta(ge=128, le=32768)]
    timeout_seconds: Annotated[int, Meta(ge=1, le=3600)]
    concurrency: Annotated[int, Meta(ge=1, le=1000)]
    instances: Annotated[int, Meta(ge=1, le=1000)]


class Schedule(Struct, frozen=True, forbid_unknown_fields=True):
    """A function that is called at fixed intervals."""

    name: str
    function: str
    every_seconds: Annotated[int, Meta(ge=60, le=86400)]
    local_every_seconds: Annotated[int, Meta(ge=1, le=86400)]


class Pipeline(Struct, frozen=True):
    topics: tuple[str, ...]
    dead_letter_topic: str
    subscriptions: tuple[Subscription, ...]
    functions: tuple[Function, ...]
    schedules: tuple[Schedule, ...]
    #: Variables of every function.
    environment: Mapping[str, str]
    web: Web | None = None


class _File(Struct):
    """The file. ``pull_subscriptions`` and ``firestore`` are for Terraform only."""

    topics: tuple[str, ...]
    dead_letter_topic: str
    subscriptions: dict[str, Any]
    functions: dict[str, Any]
    schedules: dict[str, Any]
    environment: dict[str, str] = {}
    web: dict[str, Any] | None = None


def load_pipeline(config: Config, path: Path = PIPELINE_FILE) -> Pipeline:
    """Reads and checks the file.

    Raises:
        PipelineError: a field is missing, unknown or wrong, or names something that does not exist.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise PipelineError(f"{path}: expected YAML, found {error}") from error
    file = _convert(content, _File, path.name)

    subscriptions = []
    for name, fields in _named(file.subscriptions, "subscriptions"):
        if times := _TIMES_FETCHES.fullmatch(str(fields.get("local_concurrency"))):
            fields["local_concurrency"] = ceil(float(times[1] or 1) * config.fetch_concurrency)
        subscriptions.append(_convert(fields, Subscription, f"subscriptions.{name}"))
    concurrency = {subscription.name: subscription.local_concurrency for subscription in subscriptions}

    functions = []
    for name, fields in _named(file.functions, "functions"):
        if name in concurrency:
            fields.setdefault("threads", concurrency[name] + SPARE_THREADS)
        elif fields.get("trigger") == "pubsub":
            raise PipelineError(f"functions.{name}: expected a subscription of that name, found none")
        functions.append(_convert(fields, Function, f"functions.{name}"))

    schedules = [
        _convert(fields, Schedule, f"schedules.{name}")
        for name, fields in _named(file.schedules, "schedules")
    ]
    pipeline = Pipeline(
        file.topics,
        file.dead_letter_topic,
        tuple(subscriptions),
        tuple(functions),
        tuple(schedules),
        file.environment,
        _convert(file.web, Web, "web") if file.web else None,
    )
    _check_references(pipeline)
    return pipeline


def _named(section: Mapping[str, Any], where: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of a section. Each gets its key as the field ``name``."""
    return [
        (name, {"name": name} | _convert(fields, dict[str, Any], f"{where}.{name}"))
        for name, fields in section.items()
    ]


def _convert(value: Any, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        # Such as: Expected `int` >= 10 - at `$.ack_deadline_seconds`
        problem, _, path = str(error).replace("`", "").partition(" - at $")
        for name in re.findall(r"\w+", path):
            value = value[int(name) if name.isdigit() else name]
        raise PipelineError(
            f"{where}{path}: {problem[:1].lower()}{problem[1:]}, found {value!r:.80}"
        ) from error


def _check_references(pipeline: Pipeline) -> None:
    functions = [function.name for function in pipeline.functions]
    for subscription in pipeline.subscriptions:
        where = f"subscriptions.{subscription.name}"
        _check_one_of(pipeline.topics, subscription.topic, f"{where}.topic")
        if subscription.name not in functions:
            raise PipelineError(f"{where}: expected a function of that name, found none")
    for function in pipeline.functions:
        for topic in (*function.cloud.publishes, *function.cloud.inspects) if function.cloud else ():
            _check_one_of(pipeline.topics, topic, f"functions.{function.name}.cloud")
    _check_one_of(pipeline.topics, pipeline.dead_letter_topic, "dead_letter_topic")
    for schedule in pipeline.schedules:
        _check_one_of(functions, schedule.function, f"schedules.{schedule.name}.function")


def _check_one_of(known: tuple[str, ...] | list[str], found: str, where: str) -> None:
    if found not in known:
        raise PipelineError(f"{where}: expected one of {', '.join(known)}, found {found!r}")
