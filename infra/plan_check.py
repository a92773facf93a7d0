"""``python -m infra.plan_check PLAN.json``: looks in a plan for values that only Google would refuse.

PLAN.json is the output of ``terraform show -json``. Terraform and its provider know types and enumerations.
The ranges here are those of the API's documentation. Without this, the first deployment would find them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

Rule = Callable[[Any], bool]
#: Fields of which the plan knows only that they will have a value.
_NOT_KNOWN_YET = None


def number(lowest: int, highest: int) -> Rule:
    return lambda value: isinstance(value, int | float) and lowest <= value <= highest


def seconds(lowest: int, highest: int, step: int = 1) -> Rule:
    """A duration such as ``600s``."""

    def check(value: Any) -> bool:
        found = re.fullmatch(r"(\d+)s", str(value))
        return found is not None and lowest <= int(found[1]) <= highest and int(found[1]) % step == 0

    return check


def mebibytes(lowest: int, highest: int) -> Rule:
    """An amount of memory such as ``512Mi``."""

    def check(value: Any) -> bool:
        found = re.fullmatch(r"(\d+)Mi", str(value))
        return found is not None and lowest <= int(found[1]) <= highest

    return check


def text(pattern: str) -> Rule:
    return lambda value: re.fullmatch(pattern, str(value)) is not None


_COMPUTE_NAME = text(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_BUCKET = text(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]")
_TOPIC = text(r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
_ALERT = "google_monitoring_alert_policy"
_ALIGNMENT = seconds(60, 90_000)
#: Type and path of a field → what its value has to be, as a rule and in words.
RULES: dict[tuple[str, str], tuple[Rule, str]] = {
    ("google_pubsub_topic", "name"): (_TOPIC, "3 to 255 characters that begin with a letter"),
    ("google_pubsub_subscription", "name"): (_TOPIC, "3 to 255 characters that begin with a letter"),
    ("google_pubsub_subscription", "ack_deadline_seconds"): (number(10, 600), "10 to 600"),
    ("google_pubsub_subscription", "message_retention_duration"): (seconds(600, 2_678_400), "10 min to 31 d"),
    ("google_pubsub_subscription", "retry_policy.minimum_backoff"): (seconds(0, 600), "0s to 600s"),
    ("google_pubsub_subscription", "retry_policy.maximum_backoff"): (seconds(0, 600), "0s to 600s"),
    ("google_pubsub_subscription", "dead_letter_policy.max_delivery_attempts"): (number(5, 100), "5 to 100"),
    ("google_pubsub_subscription", "expiration_policy.ttl"): (text(""), "nothing, which means never"),
    ("google_cloudfunctions2_function", "name"): (
        text("[a-z][a-z0-9-]{0,47}[a-z0-9]"),
        "at most 49 lower-case letters, digits and hyphens",
    ),
    ("google_cloudfunctions2_function", "build_config.entry_point"): (
        text("[A-Za-z_][A-Za-z0-9_]*"),
        "a name",
    ),
    ("google_cloudfunctions2_function", "service_config.timeout_seconds"): (number(1, 3600), "1 to 3600"),
    ("google_cloudfunctions2_function", "service_config.max_instance_count"): (number(1, 1000), "1 to 1000"),
    ("google_cloudfunctions2_function", "service_config.min_instance_count"): (number(0, 100), "0 to 100"),
    ("google_cloudfunctions2_function", "service_config.max_instance_request_concurrency"): (
        number(1, 1000),
        "1 to 1000",
    ),
    # Below 512 MiB the second generation of the sandbox is not to be had.
    ("google_cloudfunctions2_function", "service_config.available_memory"): (
        mebibytes(512, 32_768),
        "512Mi to 32768Mi",
    ),
    ("google_service_account", "account_id"): (text("[a-z][a-z0-9-]{4,28}[a-z0-9]"), "6 to 30 characters"),
    ("google_service_account", "display_name"): (text(".{0,100}"), "at most 100 characters"),
    ("google_secret_manager_secret", "secret_id"): (text("[A-Za-z0-9_-]{1,255}"), "letters, digits, _ and -"),
    ("google_storage_bucket", "name"): (_BUCKET, "3 to 63 lower-case letters, digits, - _ and ."),
    ("google_artifact_registry_repository", "repository_id"): (
        text("[a-z]([a-z0-9-]{0,61}[a-z0-9])?"),
        "a name of at most 63 characters",
    ),
    ("google_cloud_scheduler_job", "attempt_deadline"): (seconds(15, 1800), "15s to 1800s"),
    ("google_cloud_scheduler_job", "schedule"): (text(r"(\*|\*/([1-9]|[1-5]\d)) \* \* \* \*"), "minutes"),
    ("google_firestore_backup_schedule", "retention"): (seconds(86_400, 8_467_200), "1 d to 14 weeks"),
    ("google_compute_router_nat", "min_ports_per_vm"): (number(32, 64_512), "32 to 64512"),
    ("google_compute_disk", "size"): (number(10, 65_536), "10 to 65536"),
    ("google_monitoring_uptime_check_config", "timeout"): (seconds(1, 60), "1s to 60s"),
    ("google_monitoring_uptime_check_config", "period"): (text("(60|300|600|900)s"), "60, 300, 600 or 900 s"),
    ("google_logging_metric", "name"): (text("[A-Za-z0-9_.,+!*'()%/-]{1,100}"), "at most 100 characters"),
    (_ALERT, "display_name"): (text(".{1,512}"), "1 to 512 characters"),
    (_ALERT, "alert_strategy.auto_close"): (seconds(1800, 604_800), "30 min to 7 d"),
    (_ALERT, "alert_strategy.notification_rate_limit.period"): (seconds(300, 172_800), "5 min to 2 d"),
    (_ALERT, "conditions.condition_threshold.duration"): (seconds(0, 1_695_600, 60), "whole minutes"),
    (_ALERT, "conditions.condition_absent.duration"): (seconds(120, 84_600, 60), "2 min to 23.5 h"),
    (_ALERT, "conditions.condition_threshold.aggregations.alignment_period"): (_ALIGNMENT, "60s to 25 h"),
    (_ALERT, "conditions.condition_absent.aggregations.alignment_period"): (_ALIGNMENT, "60s to 25 h"),
    ("google_compute_url_map", "path_matcher.route_rules.priority"): (number(0, 2_147_483_647), "from 0"),
    ("google_billing_budget", "threshold_rules.threshold_percent"): (
        lambda value: value > 0,
        "more than 0",
    ),
}
_COMPUTE_RESOURCES = "google_compute_"
#: Not names of Compute Engine's resources themselves.
_OTHER_NAMES = {"google_compute_disk_resource_policy_attachment"}


def problems(plan: dict[str, Any]) -> Iterator[str]:
    """One sentence for each wrong value: where, what was expected, what was found."""
    for resource in _resources(plan):
        kind, where = resource["type"], resource["address"]
        for (type_, path), (rule, expected) in RULES.items():
            if type_ == kind:
                for value in _values(resource["values"], path.split(".")):
                    if value is not _NOT_KNOWN_YET and not rule(value):
                        yield f"{where}.{path}: expected {expected}, found {value!r}"
        if kind.startswith(_COMPUTE_RESOURCES) and kind not in _OTHER_NAMES:
            name = resource["values"].get("name")
            if name is not _NOT_KNOWN_YET and not _COMPUTE_NAME(name):
                yield f"{where}.name: expected at most 63 letters, digits and hyphens, found {name!r}"
        if kind == "google_pubsub_subscription":
            yield from _backoff_in_order(resource)
    yield from _addresses(plan)
    yield from _in_time(plan)


#: Google counts 2 addresses for each instance, and elsewhere 4.
_ADDRESSES_OF_AN_INSTANCE = 4
#: It takes them in blocks, and each function has an old and a new revision during a deployment.
_BLOCK, _REVISIONS = 16, 2
#: Google keeps four of each subnet.
_KEPT_BY_GOOGLE = 4


def _addresses(plan: dict[str, Any]) -> Iterator[str]:
    """Subnets that are too small for all instances of their functions: some would not start."""
    instances: dict[str, list[int]] = {}
    for resource in _resources(plan):
        for service in resource["values"].get("service_config") or []:
            for interface in service.get("direct_vpc_network_interface") or []:
                most = instances.setdefault(str(interface.get("subnetwork")), [])
                most.append(service["max_instance_count"])
    for resource in _resources(plan):
        if resource["type"] != "google_compute_subnetwork":
            continue
        most, values = instances.get(resource["values"]["name"], []), resource["values"]
        has = ip_network(values["ip_cidr_range"]).num_addresses - _KEPT_BY_GOOGLE
        needed = max(
            sum(most) * _ADDRESSES_OF_AN_INSTANCE,
            _REVISIONS * sum(-(-2 * each // _BLOCK) * _BLOCK for each in most),
        )
        if needed > has:
            yield f"{resource['address']}.ip_cidr_range: expected {needed} addresses, found {has}"


#: What Google knows only some time after something else was made: who refers to the first has to depend on
#: one of the second.
_LATER = (
    ("local.pubsub_agent", ("google_pubsub_topic.", "google_pubsub_subscription."), "Pub/Sub's identity"),
    ("google_logging_metric.", ("google_cloudfunctions2_function.",), "a metric of logs"),
)


def _in_time(plan: dict[str, Any]) -> Iterator[str]:
    for resource in plan.get("configuration", {}).get("root_module", {}).get("resources", []):
        names = {*_references(resource.get("expressions", {})), *resource.get("depends_on", [])}
        for first, others, what in _LATER:
            uses = resource["type"] in _USERS and any(each.startswith(first) for each in names)
            if uses and not any(f"{each}.".startswith(others) for each in names):
                yield f"{resource['address']}: {what} is not known yet. Depend on {others[0]}*"


#: Google looks at what these refer to when they are made.
_USERS = (
    _ALERT,
    "google_service_account_iam_member",
    "google_pubsub_topic_iam_member",
    "google_pubsub_subscription_iam_member",
)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value.get("references", [])
        for each in value.values():
            yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)


def _backoff_in_order(resource: dict[str, Any]) -> Iterator[str]:
    for policy in resource["values"].get("retry_policy") or []:
        least, most = (int(policy[f"{each}_backoff"].rstrip("s")) for each in ("minimum", "maximum"))
        if least > most:
            yield f"{resource['address']}.retry_policy: expected a maximum above {least}s, found {most}s"


def _resources(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan["planned_values"]["root_module"].get("resources", [])
    return [each for each in found if each["mode"] == "managed"]


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """The values at a path. Blocks are lists, and every element counts."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif not path:
        yield value
    elif isinstance(value, dict):
        yield from _values(value.get(path[0]), path[1:])


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m infra.plan_check PLAN.json\n")
        return 2
    plan = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    found = list(problems(plan))
    sys.stdout.write("".join(f"{each}\n" for each in found))
    sys.stdout.write(f"{len(_resources(plan))} resources, {len(found)} values that the API would refuse\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
