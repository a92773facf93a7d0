"""``terraform show -json PLAN | python3 -m infra.plan_changes QUESTION``: what deploy.sh asks about a plan.

``losses``: the address of each thing that the plan takes away for good, one a line. What holds nothing, such
as a right, does not count: Terraform names it. Fails with a sentence if the plan would make something anew
that cannot be made again.
``away``: a sentence for each thing that people miss until everything is deployed.
``secrets``: ``VARIABLE NAME create|keep`` for each secret that is needed.

Needs nothing but Python.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

_VALUES = "google_secret_manager_secret"
#: What is lost with them also when they are made anew: values, addresses, messages.
_HOLDING = (
    _VALUES,
    "google_compute_address",
    "google_compute_global_address",
    "google_pubsub_subscription",
    "google_pubsub_topic",
)
#: It has the address of the page.
_PAGE = 'google_cloudfunctions2_function.function["web"]'
_AWAY = {
    _PAGE: "The page is away until the new address answers: up to an hour after the A record is there.",
    "google_compute_instance.search[0]": (
        "Searches fail until all functions are deployed and the index is built again."
    ),
}
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
        holding = kind in _HOLDING or resource["address"] == _PAGE
        if holding or (kind in _KEPT and not anew):
            yield resource["address"]


def away(plan: dict[str, Any]) -> Iterator[str]:
    """What is deleted, and replaced by something else only at the end."""
    for resource in _changed(plan):
        if resource["change"]["actions"] == ["delete"] and resource["address"] in _AWAY:
            yield _AWAY[resource["address"]]


def secrets(plan: dict[str, Any]) -> Iterator[str]:
    """The variable and name of each secret, and whether it has to be made: ``create`` or ``keep``."""
    for resource in _changed(plan):
        change = resource["change"]
        if resource["type"] == _VALUES and change["after"] is not None:
            action = "create" if "create" in change["actions"] else "keep"
            yield f"{resource['index']} {change['after']['secret_id']} {action}"


def _changed(plan: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plan.get("resource_changes", [])
    return [each for each in found if each["mode"] == "managed"]


_QUESTIONS = {"losses": losses, "away": away, "secrets": secrets}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in _QUESTIONS:
        sys.stderr.write(
            f"usage: terraform show -json PLAN | python3 -m infra.plan_changes {'|'.join(_QUESTIONS)}\n"
        )
        return 2
    plan = json.load(sys.stdin)
    try:
        lines = sorted(_QUESTIONS[arguments[0]](plan))
    except Refused as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
