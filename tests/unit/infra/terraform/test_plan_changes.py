"""infra/plan_changes.py: what a plan takes away, and which secrets it needs."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from infra import plan_changes


def plan(*changes: tuple[str, list[str]]) -> dict[str, Any]:
    """A plan with these addresses and actions, as ``terraform show -json`` prints it."""
    resources = []
    for address, actions in changes:
        kind, _, name = address.partition(".")
        change = {
            "actions": actions,
            "after": None if actions == ["delete"] else {"secret_id": f"yts-{name}"},
        }
        found = {"address": address, "mode": "managed", "type": kind, "index": name, "change": change}
        resources.append(found)
    return {"resource_changes": resources}


@pytest.mark.parametrize(
    ("address", "actions"),
    [
        ("google_secret_manager_secret.a", ["delete"]),
        ("google_secret_manager_secret.a", ["delete", "create"]),
        ("google_compute_disk.search", ["delete"]),
        ('google_cloudfunctions2_function.function["web"]', ["delete"]),
        ("google_compute_address.nat", ["delete", "create"]),
        ("google_compute_global_address.site", ["delete"]),
        ("google_firestore_database.store", ["delete"]),
        ("google_pubsub_topic.videos", ["delete", "create"]),
        ("google_pubsub_subscription.fetcher", ["create", "delete"]),
    ],
)
def test_what_is_gone_afterwards_is_named(address: str, actions: list[str]) -> None:
    assert list(plan_changes.losses(plan((address, actions)))) == [address]


@pytest.mark.parametrize(
    ("address", "actions"),
    [
        ("google_compute_instance.search", ["delete", "create"]),
        ("google_cloudfunctions2_function.web", ["update"]),
        ("google_secret_manager_secret.a", ["create"]),
        ("google_secret_manager_secret.a", ["no-op"]),
        # Each upgrade replaces the sources of functions, and files of the page come and go.
        ("google_storage_bucket_object.source", ["delete", "create"]),
        ("google_storage_bucket_object.page", ["delete"]),
        # An operator less, and a collection with a query that has conditions: what upgrades do.
        ("google_cloud_run_v2_service_iam_member.operator", ["delete"]),
        ("google_firestore_field.unindexed", ["delete"]),
        ('google_cloudfunctions2_function.function["sweep"]', ["delete"]),
        # It stays switched on.
        ("google_project_service.billingbudgets", ["delete"]),
    ],
)
def test_an_upgrade_takes_nothing_away(address: str, actions: list[str]) -> None:
    assert list(plan_changes.losses(plan((address, actions)))) == []


@pytest.mark.parametrize("kind", ["google_compute_disk", "google_firestore_database"])
@pytest.mark.parametrize("actions", [["delete", "create"], ["create", "delete"]])
def test_what_cannot_be_made_again_is_not_made_anew(kind: str, actions: list[str]) -> None:
    with pytest.raises(plan_changes.Refused):
        list(plan_changes.losses(plan((f"{kind}.it", actions))))


def test_what_is_away_until_everything_is_deployed_is_said() -> None:
    web, server = 'google_cloudfunctions2_function.function["web"]', "google_compute_instance.search[0]"
    page, searches = plan_changes.away(plan((web, ["delete"]), (server, ["delete"])))
    assert "The page is away" in page
    assert "Searches fail" in searches
    assert list(plan_changes.away(plan((web, ["update"]), (server, ["delete", "create"])))) == []


def test_what_is_only_read_is_no_loss() -> None:
    read = plan(("google_project.this", ["delete"]))
    read["resource_changes"][0]["mode"] = "data"
    assert list(plan_changes.losses(read)) == []


def test_the_command_prints_secrets_and_losses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = json.dumps(
        plan(
            ("google_secret_manager_secret.B", ["create"]),
            ("google_secret_manager_secret.A", ["no-op"]),
            ("google_secret_manager_secret.OLD", ["delete"]),
            ("google_pubsub_topic.videos", ["create"]),
        )
    )
    for question, expected in (
        ("secrets", "A yts-A keep\nB yts-B create\n"),
        ("losses", "google_secret_manager_secret.OLD\n"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(text))
        assert plan_changes.main([question]) == 0
        assert capsys.readouterr().out == expected
    monkeypatch.setattr(
        "sys.stdin", io.StringIO(json.dumps(plan(("google_compute_disk.it", ["delete", "create"]))))
    )
    assert plan_changes.main(["losses"]) == 1
    assert "can only grow" in capsys.readouterr().err
    assert plan_changes.main([]) == 2
