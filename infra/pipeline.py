"""``infra/pipeline.yaml`` as dataclasses: read by the local run, the tests and the deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import yaml

from shared.config import Config

PIPELINE_FILE = Path(__file__).with_name("pipeline.yaml")

#: ``1.3 * $FETCH_CONCURRENCY``: a multiple of what the environment says.
_TIMES_FETCHES = re.compile(r"(?:(\d+(?:\.\d+)?) \* )?\$FETCH_CONCURRENCY")
#: What a function without `threads` gets beyond its deliveries: health probes and the odd redelivery.
SPARE_THREADS = 4


class PipelineError(ValueError):
    """The file does not say what it must; the message names the place, what was expected and found."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One Pub/Sub subscription; ``name`` is also the function it feeds. Times in seconds."""

    name: str
    topic: str
    ack_deadline_seconds: int
    minimum_backoff_seconds: int
    maximum_backoff_seconds: int
    #: None: given back for ever.
    max_delivery_attempts: int | None
    local_concurrency: int


@dataclass(frozen=True, slots=True)
class Function:
    """One deployable function, in ``functions/NAME/main.py``."""

    name: str
    #: "http" or "pubsub".
    trigger: str
    #: URL prefixes that the gateway hands to it.
    routes: tuple[str, ...]
    memory_mb: int
    timeout_seconds: int
    threads: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function called again and again."""

    name: str
    function: str
    every_seconds: int
    local_every_seconds: int


@dataclass(frozen=True, slots=True)
class Pipeline:
    topics: tuple[str, ...]
    dead_letter_topic: str
    subscriptions: tuple[Subscription, ...]
    functions: tuple[Function, ...]
    schedules: tuple[Schedule, ...]


def load_pipeline(config: Config, path: Path = PIPELINE_FILE) -> Pipeline:
    """Reads and checks the description.

    Raises:
        PipelineError: a field is missing, of the wrong type, or names what is not there.
    """
    try:
        root = _mapping(yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    except yaml.YAMLError as error:
        raise PipelineError(f"{path}: expected YAML, found {error}") from error
    topics = _texts(root, "topics", path.name)
    subscriptions = tuple(
        _subscription(name, fields, config) for name, fields in _items(root, "subscriptions", path.name)
    )
    concurrency = {subscription.name: subscription.local_concurrency for subscription in subscriptions}
    functions = tuple(
        _function(name, fields, concurrency.get(name))
        for name, fields in _items(root, "functions", path.name)
    )
    schedules = tuple(_schedule(name, fields) for name, fields in _items(root, "schedules", path.name))
    pipeline = Pipeline(
        topics, _text(root, "dead_letter_topic", path.name), subscriptions, functions, schedules
    )
    _check_names(pipeline)
    return pipeline


def _subscription(name: str, fields: Mapping[str, Any], config: Config) -> Subscription:
    where = f"subscriptions.{name}"
    times = _TIMES_FETCHES.fullmatch(str(fields.get("local_concurrency")))
    if times:
        fields = {**fields, "local_concurrency": ceil(float(times[1] or 1) * config.fetch_concurrency)}
    attempts = fields.get("max_delivery_attempts", "missing")
    return Subscription(
        name=name,
        topic=_text(fields, "topic", where),
        ack_deadline_seconds=_number(fields, "ack_deadline_seconds", where, 10, 600),
        minimum_backoff_seconds=_number(fields, "minimum_backoff_seconds", where, 0, 600),
        maximum_backoff_seconds=_number(fields, "maximum_backoff_seconds", where, 0, 600),
        max_delivery_attempts=None
        if attempts is None
        else _number(fields, "max_delivery_attempts", where, 5, 100),
        local_concurrency=_number(fields, "local_concurrency", where, 1, 2000),
    )


def _function(name: str, fields: Mapping[str, Any], concurrency: int | None) -> Function:
    where = f"functions.{name}"
    trigger = _text(fields, "trigger", where)
    if trigger not in ("http", "pubsub"):
        raise PipelineError(f"{where}.trigger: expected http or pubsub, found {trigger!r}")
    if trigger == "pubsub" and concurrency is None:
        raise PipelineError(f"{where}: expected a subscription of that name, because its trigger is pubsub")
    routes = _texts(fields, "routes", where) if "routes" in fields else ()
    for route in routes:
        if not route.startswith("/api/"):
            raise PipelineError(f"{where}.routes: expected prefixes below /api/, found {route!r}")
    if concurrency is None or "threads" in fields:
        threads = _number(fields, "threads", where, 1, 2000)
    else:
        threads = concurrency + SPARE_THREADS
    return Function(
        name=name,
        trigger=trigger,
        routes=routes,
        memory_mb=_number(fields, "memory_mb", where, 128, 32768),
        timeout_seconds=_number(fields, "timeout_seconds", where, 1, 3600),
        threads=threads,
    )


def _schedule(name: str, fields: Mapping[str, Any]) -> Schedule:
    where = f"schedules.{name}"
    return Schedule(
        name=name,
        function=_text(fields, "function", where),
        every_seconds=_number(fields, "every_seconds", where, 60, 86400),
        local_every_seconds=_number(fields, "local_every_seconds", where, 1, 86400),
    )


def _check_names(pipeline: Pipeline) -> None:
    functions = {function.name for function in pipeline.functions}
    for subscription in pipeline.subscriptions:
        if subscription.topic not in pipeline.topics:
            raise PipelineError(
                f"subscriptions.{subscription.name}.topic: expected one of {', '.join(pipeline.topics)},"
                f" found {subscription.topic!r}"
            )
        if subscription.name not in functions:
            raise PipelineError(f"subscriptions.{subscription.name}: expected a function of that name")
    if pipeline.dead_letter_topic not in pipeline.topics:
        raise PipelineError(
            f"dead_letter_topic: expected one of {', '.join(pipeline.topics)},"
            f" found {pipeline.dead_letter_topic!r}"
        )
    for schedule in pipeline.schedules:
        if schedule.function not in functions:
            raise PipelineError(
                f"schedules.{schedule.name}.function: expected a function, found {schedule.function!r}"
            )


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PipelineError(f"{where}: expected fields and values, found {value!r:.80}")
    return value


def _items(fields: Mapping[str, Any], name: str, where: str) -> list[tuple[str, Mapping[str, Any]]]:
    section = _mapping(fields.get(name), f"{where}: {name}")
    return [(key, _mapping(value, f"{name}.{key}")) for key, value in section.items()]


def _text(fields: Mapping[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise PipelineError(f"{where}.{name}: expected a text, found {value!r:.80}")
    return value


def _texts(fields: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = fields.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise PipelineError(f"{where}.{name}: expected a list of texts, found {value!r:.80}")
    return tuple(value)


def _number(fields: Mapping[str, Any], name: str, where: str, low: int, high: int) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise PipelineError(
            f"{where}.{name}: expected a whole number from {low} to {high}, found {value!r:.80}"
        )
    return value
