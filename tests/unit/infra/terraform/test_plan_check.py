"""infra/plan_check.py: values that types and enumerations allow, and Google refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra import plan_check

SUBSCRIPTION: dict[str, Any] = {
    "name": "planner",
    "ack_deadline_seconds": 600,
    "message_retention_duration": "604800s",
    "expiration_policy": [{"ttl": ""}],
    "retry_policy": [{"minimum_backoff": "1s", "maximum_backoff": "60s"}],
    "dead_letter_policy": [{"max_delivery_attempts": 100}],
}


def plan(kind: str, values: dict[str, Any]) -> dict[str, Any]:
    resource = {"mode": "managed", "type": kind, "address": f"{kind}.it", "values": values}
    return {"planned_values": {"root_module": {"resources": [resource]}}}


def problems(kind: str, values: dict[str, Any]) -> list[str]:
    return list(plan_check.problems(plan(kind, values)))


def test_a_right_plan_has_no_problems() -> None:
    assert problems("google_pubsub_subscription", SUBSCRIPTION) == []


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"ack_deadline_seconds": 601}, "ack_deadline_seconds"),
        ({"ack_deadline_seconds": 9}, "ack_deadline_seconds"),
        ({"dead_letter_policy": [{"max_delivery_attempts": 4}]}, "dead_letter_policy.max_delivery_attempts"),
        (
            {"dead_letter_policy": [{"max_delivery_attempts": 101}]},
            "dead_letter_policy.max_delivery_attempts",
        ),
        ({"message_retention_duration": "7d"}, "message_retention_duration"),
        ({"expiration_policy": [{"ttl": "2678400s"}]}, "expiration_policy.ttl"),
        ({"name": "ab"}, "name"),
        ({"name": "goog-planner"}, "name"),
        (
            {"retry_policy": [{"minimum_backoff": "1s", "maximum_backoff": "601s"}]},
            "retry_policy.maximum_backoff",
        ),
        ({"retry_policy": [{"minimum_backoff": "60s", "maximum_backoff": "1s"}]}, "retry_policy"),
    ],
)
def test_a_wrong_subscription_is_named(changed: dict[str, Any], path: str) -> None:
    found = problems("google_pubsub_subscription", SUBSCRIPTION | changed)
    assert [each.split(":")[0] for each in found] == [f"google_pubsub_subscription.it.{path}"]
    assert "expected" in found[0]
    assert "found" in found[0]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("google_service_account", {"account_id": "yts"}),
        ("google_service_account", {"account_id": "yts_dead_letters"}),
        ("google_cloudfunctions2_function", {"name": "dead_letters"}),
        ("google_cloudfunctions2_function", {"service_config": [{"available_memory": "256Mi"}]}),
        ("google_cloudfunctions2_function", {"service_config": [{"max_instance_request_concurrency": 0}]}),
        ("google_cloud_scheduler_job", {"attempt_deadline": "3600s"}),
        ("google_cloud_scheduler_job", {"schedule": "*/90 * * * *"}),
        ("google_compute_network", {"name": "My_Network"}),
        ("google_monitoring_uptime_check_config", {"period": "120s"}),
        (
            "google_monitoring_alert_policy",
            {"conditions": [{"condition_threshold": [{"aggregations": [{"alignment_period": "30s"}]}]}]},
        ),
    ],
)
def test_a_wrong_value_is_found_wherever_it_stands(kind: str, values: dict[str, Any]) -> None:
    assert len(problems(kind, values)) == 1


def test_what_is_not_known_yet_is_no_problem() -> None:
    assert problems("google_service_account", {"account_id": None}) == []


@pytest.mark.parametrize(
    ("kind", "refers_to", "depends_on"),
    [
        ("google_service_account_iam_member", "local.pubsub_agent", "google_pubsub_topic.topic"),
        (
            "google_monitoring_alert_policy",
            'google_logging_metric.counted["nacked"].name',
            "google_cloudfunctions2_function.function",
        ),
    ],
)
def test_what_google_knows_only_later_is_waited_for(kind: str, refers_to: str, depends_on: str) -> None:
    expressions = {"conditions": [{"filter": {"references": [refers_to]}}]}
    resource: dict[str, Any] = {"address": f"{kind}.it", "type": kind, "expressions": expressions}
    configured = plan(kind, {}) | {"configuration": {"root_module": {"resources": [resource]}}}
    (found,) = plan_check.problems(configured)
    assert "is not known yet. Depend on google_" in found
    resource["depends_on"] = [depends_on]
    assert list(plan_check.problems(configured)) == []


def test_the_command_fails_if_there_is_a_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(plan("google_service_account", {"account_id": "yts"})), encoding="utf-8")
    assert plan_check.main([str(file)]) == 1
    assert "found 'yts'" in capsys.readouterr().out
    assert plan_check.main([]) == 2


def test_a_subnet_has_addresses_for_all_instances() -> None:
    def found(instances: int, range_: str) -> list[str]:
        subnet = plan("google_compute_subnetwork", {"name": "yts", "ip_cidr_range": range_})
        interface = {"max_instance_count": instances, "direct_vpc_network_interface": [{"subnetwork": "yts"}]}
        function = plan("google_cloudfunctions2_function", {"service_config": [interface]})
        resources = [*_of(subnet), *_of(function)]
        return list(plan_check.problems({"planned_values": {"root_module": {"resources": resources}}}))

    assert found(1, "10.80.2.0/26") == []
    assert found(71, "10.80.4.0/22") == []
    expected = "google_compute_subnetwork.it.ip_cidr_range: expected 288 addresses, found 252"
    assert found(71, "10.80.0.0/24") == [expected]
    assert found(1, "10.80.2.0/28"), "two revisions need a block each"


def _of(made: dict[str, Any]) -> list[dict[str, Any]]:
    resources: list[dict[str, Any]] = made["planned_values"]["root_module"]["resources"]
    return resources
