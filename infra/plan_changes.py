"""``terraform show -json PLAN | python3 -m infra.plan_changes QUESTION``: what deploy.sh asks about a plan.

``losses``: the address of each thing that the plan takes away for good, one a line. Fails with a sentence
if the plan would make something anew that cannot be made again.
``secrets``: ``VARIABLE NAME create|keep`` for each secret that is needed.

Needs nothing but Python.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

_SECRET = "google_secret_manager_secret"  # noqa: S105 a type of Terraform
#: Made anew, they are empty: messages and values of secrets are lost.
_HOLDING = (_SECRET, "google_pubsub_topic", "google_pubsub_subscription")
#: Nothing is lost with these: copies of what is in the repository, and APIs that stay switched on.
_HARMLESS = ("google_storage_bucket_object", "google_project_service")
#: What deploy.sh never makes anew, and why the plan does.
_KEPT = {
    "google_compute_disk": "The disk of the search server can only grow: raise elasticsearch_disk_gb again.",
    "google_firestore_database": "The database cannot be moved: set region as it was.",
}


class Refused(Exception):
    """The plan destroys what nobody wants to lose. The message says what to change."""


def losses(plan: dict[str, Any]) -> Iterator[str]:
    """The addresses of what is gone after a plan.

    Raises:
        Refused: see there.
    """
    for resource in _changed(plan):
        kind, actions = resource["type"], resource["change"]["actions"]
        if "delete" not in actions:
            continue
        anew = "create" in actions
        if anew and kind in _KEPT:
            raise Refused(_KEPT[kind])
        if kind in _HOLDING if anew else kind not in _HARMLESS:
            yield resource["address"]


def secrets(plan: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The variable and name of each secret, and whether it has to be made: ``create`` or ``keep``."""
    for resource in _changed(plan):
        change = resource["change"]
        if resource["type"] == _SECRET and change["after"] is not None:
            action = "create" if "create" in change["actions"] else "keep"
            yield resource["index"], change["after"]["secret_id"], action


def _changed(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan.get("resource_changes", [])
    return [each for each in found if each["mode"] == "managed"]


def main(arguments: list[str]) -> int:
    if arguments not in (["losses"], ["secrets"]):
        sys.stderr.write("usage: terraform show -json PLAN | python3 -m infra.plan_changes losses|secrets\n")
        return 2
    plan = json.load(sys.stdin)
    try:
        lines = sorted(losses(plan) if arguments == ["losses"] else map(" ".join, secrets(plan)))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
