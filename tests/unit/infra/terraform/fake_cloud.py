"""Stands in for gcloud, terraform and curl when deploy.sh is tested: one program under three names.

It keeps what was made in ``cloud.json`` and every call in ``calls.txt``, both in ``$FAKE_CLOUD``. A test
changes ``cloud.json`` to break something. Terraform makes a plan from what is configured and what is in its
state, and applies a plan as it was made: with everything that the plan takes away.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

# typing takes a sixth of the time of a start.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOME = Path(os.environ["FAKE_CLOUD"])
NUMBER = "123456789012"
PROJECT = "my-yts-project"
URL = f"https://web-{NUMBER}.europe-west1.run.app"
DATABASE = "google_firestore_database.store"
#: What stands there before anybody deploys.
EMPTY: dict[str, Any] = {
    "account": "me@example.org",
    "billing": "True",
    "lacks": [],
    "buckets": [],
    "objects": {},
    "database": None,
    "versions": {},
    "disabled": [],
    # What the configuration describes, and what Terraform knows of.
    "secrets": ["GOOGLE_OAUTH_CLIENT_SECRET", "GRANT_ENCRYPTION_KEYS", "YOUTUBE_API_KEY"],
    "things": [DATABASE, 'google_cloudfunctions2_function.function["web"]', "google_compute_disk.search[0]"],
    "state": [],
    "anew": [],
    "provider": "8.7.0",
    "terraform": "1.11.4",
    # Of the domain, if there is one.
    "certificate": "ACTIVE",
    "database_error": "",
    "apply_errors": [],
    "destroy_fails": False,
    "api_errors": [],
    "regions": ["europe-west1", "us-central1"],
    "statuses": {"/api/health": 200, "/": 200, "/api/me": 401, "internal": 403},
    "reindex": '{"step": "done"}\n200',
}


def secret(variable: str) -> str:
    return f'google_secret_manager_secret.secret["{variable}"]'


def name_of(address: str) -> str | None:
    """The name of a secret in Secret Manager."""
    found = re.fullmatch(r'google_secret_manager_secret\.secret\["(\w+)"\]', address)
    return f"yts-{found[1].lower().replace('_', '-')}" if found else None


def main() -> int:
    program, words = Path(sys.argv[0]).name, sys.argv[1:]
    cloud: dict[str, Any] = json.loads((HOME / "cloud.json").read_text(encoding="utf-8"))
    shown = " ".join(each for each in words if not each.startswith("-chdir"))
    with (HOME / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(f"{program} {shown}\n")
    found = {"gcloud": gcloud, "terraform": terraform, "curl": curl}[program](cloud, shown, words)
    (HOME / "cloud.json").write_text(json.dumps(cloud), encoding="utf-8")
    return found


def say(value: object) -> None:
    sys.stdout.write(f"{value}")


def gcloud(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    if call.startswith("config get-value account"):
        say(cloud["account"])
    elif "print-access-token" in call or "print-identity-token" in call:
        say("a-token")
    elif call.startswith("projects describe"):
        say(NUMBER)
    elif call.startswith("billing projects describe"):
        say(cloud["billing"])
    elif call.startswith("storage"):
        return storage(cloud, call, words)
    elif call.startswith("firestore databases list"):
        if cloud["database_error"]:
            sys.stderr.write(cloud["database_error"])
            return 1
        say("\t".join(cloud["database"] or []))
    elif call.startswith("compute ssl-certificates describe yts-0123 --global"):
        say(cloud["certificate"])
    elif call.startswith("firestore databases delete"):
        cloud["database"] = None
    elif call.startswith("secrets"):
        return secrets(cloud, call, words)
    return 0


def storage(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    if call.startswith("storage buckets describe"):
        return 0 if words[3] in cloud["buckets"] else 1
    if call.startswith("storage buckets create"):
        if not any(f"--location={region}" in words for region in cloud["regions"]):
            return 1
        cloud["buckets"].append(words[3])
    elif call.startswith("storage cp"):
        cloud["objects"][words[3]] = Path(words[2]).read_text(encoding="utf-8")
    return 0


def secrets(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    if call.startswith("secrets list"):
        say("".join(f"projects/{NUMBER}/secrets/{name}\n" for name in cloud["versions"]))
        return 0
    name = next((each[9:] for each in words if each.startswith("--secret=")), words[3])
    if name not in cloud["versions"]:
        sys.stderr.write(f"NOT_FOUND: Secret [{name}] not found\n")
        return 1
    enabled = name not in cloud["disabled"]
    if call.startswith("secrets versions list") and (enabled or "state=ENABLED" not in call):
        say(len(cloud["versions"][name]) or "")
    elif call.startswith("secrets versions access") and enabled:
        say(cloud["versions"][name][-1])
    elif call.startswith("secrets versions add"):
        cloud["versions"][name].append(sys.stdin.read())
        cloud["disabled"] = [each for each in cloud["disabled"] if each != name]
    return 0


# -- terraform -------------------------------------------------------------------------------------


def terraform(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    if call == "version -json":
        say(json.dumps({"terraform_version": cloud["terraform"]}))
        return 0
    command, place = call.split()[0], Path(words[0].removeprefix("-chdir="))
    if command == "init":
        lock = place / ".terraform.lock.hcl"
        if not lock.exists() or "-upgrade" in words:
            lock.write_text(f"google {cloud['provider']}\n", encoding="utf-8")
        return 1 if lock.read_text(encoding="utf-8") == "google too-old\n" else 0
    if command == "plan":
        changes = plan(
            cloud, [each.removeprefix("-target=") for each in words if each.startswith("-target=")]
        )
        file = next(each.removeprefix("-out=") for each in words if each.startswith("-out="))
        (place / file).write_text(json.dumps(changes), encoding="utf-8")
        different = any(actions != ["no-op"] for actions in changes.values())
        return 2 if different and "-detailed-exitcode" in words else 0
    if command == "show":
        changes = json.loads((place / words[-1]).read_text(encoding="utf-8"))
        say(json.dumps({"resource_changes": [_shown(*each) for each in changes.items()]}))
    elif command == "apply":
        planned = place / words[-1]
        changes = json.loads(planned.read_text(encoding="utf-8")) if planned.exists() else plan(cloud, [])
        return apply(cloud, changes)
    elif command == "destroy":
        apply(cloud, {each: ["delete"] for each in cloud["state"]})
        return 1 if cloud["destroy_fails"] else 0
    elif command == "output":
        return output(words[-1])
    else:
        return state(cloud, call, words)
    return 0


def state(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    if call.startswith("state list"):
        say("".join(f"{each}\n" for each in cloud["state"]))
    elif call.startswith("state rm"):
        cloud["state"].remove(words[-1])
    elif call.startswith("import"):
        if words[-2] not in configured(cloud):
            return 1
        cloud["state"].append(words[-2])
    return 0


def configured(cloud: dict[str, Any]) -> list[str]:
    return [*cloud["things"], *map(secret, cloud["secrets"])]


def plan(cloud: dict[str, Any], targets: list[str]) -> dict[str, list[str]]:
    """The actions by address. A target takes with it also the instances that are to be destroyed."""
    wanted = configured(cloud)
    changes = {}
    for address in dict.fromkeys([*cloud["state"], *wanted]):
        if targets and not any(address == each or address.startswith(f"{each}[") for each in targets):
            continue
        if address not in wanted:
            changes[address] = ["delete"]
        elif address not in cloud["state"]:
            changes[address] = ["create"]
        else:
            changes[address] = ["delete", "create"] if address in cloud["anew"] else ["no-op"]
    return changes


def _shown(address: str, actions: list[str]) -> dict[str, Any]:
    index = re.search(r'\["(\w+)"\]', address)
    after = None if actions == ["delete"] else {"secret_id": name_of(address)}
    change = {"actions": actions, "after": after}
    kind = address.partition(".")[0]
    return {
        "address": address,
        "mode": "managed",
        "type": kind,
        "index": index and index[1],
        "change": change,
    }


def apply(cloud: dict[str, Any], changes: dict[str, list[str]]) -> int:
    # The errors are those of things that are made after the secrets.
    if cloud["apply_errors"] and not all(name_of(each) for each in changes):
        sys.stderr.write(cloud["apply_errors"].pop(0))
        return 1
    for address, actions in changes.items():
        name = name_of(address)
        if "delete" in actions:
            cloud["state"].remove(address)
            if name:
                cloud["versions"].pop(name, None)
        if "create" in actions:
            cloud["state"].append(address)
            if name:
                cloud["versions"].setdefault(name, [])
            if address == DATABASE:
                cloud["database"] = ["europe-west1", "FIRESTORE_NATIVE"]
    cloud["anew"] = []
    return 0


def output(name: str) -> int:
    outputs = {
        "url": URL,
        "redirect_address": f"{URL}/api/login/callback",
        "ip_address": "203.0.113.7",
        "certificate": "yts-0123",
        "reindex_url": "https://reindex-abc.a.run.app",
        "internal_urls": {"planner": "https://planner-abc.a.run.app"},
        "monthly_estimate": {"search server": 25, "total": 25},
    }
    value = outputs[name]
    say(value if isinstance(value, str) else json.dumps(value))
    return 0


def curl(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    url = words[-1]
    if "-X" in words and "googleapis.com" in url and cloud["api_errors"]:
        say(json.dumps({"error": {"message": cloud["api_errors"].pop(0)}}))
    elif url.endswith(":testIamPermissions"):
        asked = json.loads(words[words.index("--data") + 1])["permissions"]
        say(json.dumps({"permissions": [each for each in asked if each not in cloud["lacks"]]}))
    elif url.startswith("https://storage.googleapis.com/"):
        bucket, name = url.removeprefix("https://storage.googleapis.com/storage/v1/b/").split("/o/")
        found = cloud["objects"].get(f"gs://{bucket}/{name.removesuffix('?alt=media')}")
        Path(words[words.index("--output") + 1]).write_text(found or "Not Found", encoding="utf-8")
        say("200" if found else "404")
    elif "reindex" in url:
        say(cloud["reindex"])
    elif "%{http_code}" in call:
        path = url.removeprefix(URL) if url.startswith(URL) else "internal"
        say(cloud["statuses"][path])
    return 0
