"""Known vulnerabilities of all pinned packages. Where no data can be had, that is said, and is no failure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_PINNED = ("requirements.txt", "infra/local/requirements.txt", "requirements-dev.txt")
#: Seconds for a request and for all of them.
_REQUEST, _ALL = 10, 300


def main() -> int:
    command = [
        *(str(Path(sys.executable).with_name("pip-audit")), "--format", "json", "--timeout", str(_REQUEST)),
        *("--disable-pip", "--no-deps", "--progress-spinner", "off"),
        *(f"--requirement={name}" for name in _PINNED),
    ]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_ALL, check=False)
        found = json.loads(result.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return _say(f"not audited: no answer within {_ALL} s")
    except ValueError:
        last = (result.stderr.strip().splitlines() or ["nothing said"])[-1]
        return _say(f"not audited: {last}")
    known = [each for each in found if "skip_reason" not in each]
    vulnerable = [each for each in known if each["vulns"]]
    for each in vulnerable:
        for flaw in each["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            _say(f"{each['name']} {each['version']}: {flaw['id']}, fixed in {fixed}")
    _say(f"{len(known)} of {len(found)} packages audited, {len(vulnerable)} vulnerable")
    return 1 if vulnerable else 0


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
