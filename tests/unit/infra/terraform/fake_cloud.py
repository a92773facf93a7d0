"""Stands in for gcloud, terraform and curl when deploy.sh is tested: one program under three names.

It keeps what was made in ``cloud.json`` and every call in ``calls.txt``, both in ``$FAKE_CLOUD``. A test
changes ``cloud.json`` to break something.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

HOME = Path(os.environ["FAKE_CLOUD"])
NUMBER = "123456789012"
PROJECT = "my-yts-project"
URL = f"https://web-{NUMBER}.europe-west1.run.app"
#: What stands there before anybody deploys.
EMPTY: dict[str, Any] = {
    "account": "me@example.org",
    "billing": "True",
    "lacks": [],
    "buckets": [],
    "database": False,
    "versions": {},
    "state": [],
    "changes": True,
    "applies_that_fail": 0,
    "statuses": {"/api/health": 200, "/": 200, "/api/me": 401, "internal": 403},
    "reindex": '{"step": "done"}\n200',
}
SECRETS = {
    "GOOGLE_OAUTH_CLIENT_SECRET": "yts-google-oauth-client-secret",
    "GRANT_ENCRYPTION_KEYS": "yts-grant-encryption-keys",
    "YOUTUBE_API_KEY": "yts-youtube-api-key",
}


def main() -> int:
    program, words = Path(sys.argv[0]).name, sys.argv[1:]
    cloud: dict[str, Any] = json.loads((HOME / "cloud.json").read_text(encoding="utf-8"))
    shown = " ".join(each for each in words if not each.startswith("-chdir"))
    versions = os.environ.get("TF_VAR_secret_versions", "")  # noqa: SIM112 Terraform's own spelling
    with (HOME / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(f"{program} {shown}{f' [{versions}]' if program == 'terraform' and versions else ''}\n")
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
    elif call.startswith("storage buckets describe"):
        return 0 if words[3] in cloud["buckets"] else 1
    elif call.startswith("storage buckets create"):
        cloud["buckets"].append(words[3])
    elif call.startswith("firestore databases describe"):
        return 0 if cloud["database"] else 1
    elif call.startswith("firestore databases delete"):
        cloud["database"] = False
    elif call.startswith("secrets list"):
        say("".join(f"projects/{NUMBER}/secrets/{name}\n" for name in cloud["versions"]))
    elif call.startswith("secrets versions list"):
        say(len(cloud["versions"].get(words[3], [])) or "")
    elif call.startswith("secrets versions access"):
        name = next(each for each in words if each.startswith("--secret=")).removeprefix("--secret=")
        say(cloud["versions"][name][-1])
    elif call.startswith("secrets versions add"):
        cloud["versions"].setdefault(words[3], []).append(sys.stdin.read())
    return 0


def terraform(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    command = call.split()[0]
    if command == "plan":
        return 2 if cloud["changes"] else 0
    if command == "apply":
        if "-target" in call:
            return 0
        if cloud["applies_that_fail"]:
            cloud["applies_that_fail"] -= 1
            return 1
        cloud["changes"], cloud["database"] = False, True
        secrets = [f'google_secret_manager_secret.secret["{variable}"]' for variable in SECRETS]
        cloud["state"] = ["google_firestore_database.store", *secrets]
    elif command == "destroy":
        kept = [
            each for each in SECRETS if f'google_secret_manager_secret.secret["{each}"]' not in cloud["state"]
        ]
        cloud["versions"] = {SECRETS[each]: cloud["versions"][SECRETS[each]] for each in kept}
        cloud["state"], cloud["changes"] = [], True
    elif call.startswith("state list"):
        say("".join(f"{each}\n" for each in cloud["state"]))
    elif call.startswith("state rm"):
        cloud["state"].remove(words[-1])
    elif command == "import":
        cloud["state"].append(words[-2])
    elif command == "output":
        outputs = {
            "secrets": SECRETS,
            "url": URL,
            "redirect_address": f"{URL}/api/login/callback",
            "ip_address": "203.0.113.7",
            "reindex_url": "https://reindex-abc.a.run.app",
            "internal_urls": {"planner": "https://planner-abc.a.run.app"},
            "monthly_estimate": {"search server": 25, "total": 25},
        }
        value = outputs[words[-1]]
        say(value if isinstance(value, str) else json.dumps(value))
    return 0


def curl(cloud: dict[str, Any], call: str, words: list[str]) -> int:
    url = words[-1]
    if url.endswith(":testIamPermissions"):
        asked = json.loads(words[words.index("--data") + 1])["permissions"]
        say(json.dumps({"permissions": [each for each in asked if each not in cloud["lacks"]]}))
    elif "reindex" in url:
        say(cloud["reindex"])
    elif "%{http_code}" in call:
        path = url.removeprefix(URL) if url.startswith(URL) else "internal"
        say(cloud["statuses"][path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
