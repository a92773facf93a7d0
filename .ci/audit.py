"""Looks for known vulnerabilities of all pinned packages.

If the data cannot be downloaded, the check says so and succeeds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_PINNED = ("requirements.txt", "infra/local/requirements.txt", "requirements-dev.txt")
#: Timeouts of one request and of the whole audit, in seconds.
_REQUEST_SECONDS, _ALL_SECONDS = 10, 300


def main() -> int:
    command = [
        *(str(Path(sys.executable).with_name("pip-audit")), "--format", "json"),
        *("--timeout", str(_REQUEST_SECONDS), "--disable-pip", "--no-deps", "--progress-spinner", "off"),
        *(f"--requirement={name}" for name in _PINNED),
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_ALL_SECONDS, check=False)
        packages = json.loads(result.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        _say(f"Packages were not audited: there was no answer within {_ALL_SECONDS} s.")
        return 0
    except ValueError:
        last = (result.stderr.strip().splitlines() or ["pip-audit gave no reason"])[-1]
        _say(f"Packages were not audited: {last}")
        return 0
    audited = [package for package in packages if "skip_reason" not in package]
    if not audited:
        _say(f"Packages were not audited: {packages[0]['skip_reason']}")
        return 0
    vulnerable = [package for package in audited if package["vulns"]]
    for package in vulnerable:
        for flaw in package["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            _say(f"{package['name']} {package['version']}: {flaw['id']}, fixed in {fixed}")
    _say(f"{len(audited)} of {len(packages)} packages audited, {len(vulnerable)} vulnerable")
    return 1 if vulnerable else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
