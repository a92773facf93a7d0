"""Looks for secrets in the committed files.

Tokens of known forms are found everywhere. Other suspicious texts are found everywhere but in tests and
examples, which have many invented passwords.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

_WITH_INVENTED_SECRETS = ("tests/", "infra/terraform/tests/", "docs/", "README.md", "shared/web/openapi.json")
#: The detectors of detect-secrets that look for no particular form.
_GUESSES = {
    "Secret Keyword",
    "Base64 High Entropy String",
    "Hex High Entropy String",
    "Basic Auth Credentials",
    "JSON Web Token",
}
#: Lines that are not scanned: values of the fake YouTube, checksums of downloads, and a constant.
_HARMLESS = r'local-stand-in|^\s*("[\w.]+": )?"[0-9a-f]{64}",$|password = "anonymous"'
#: Forms of Google's that detect-secrets does not know: API keys (except those of the fake YouTube), client
#: secrets, refresh tokens.
_GOOGLE = re.compile(r"AIza(?!SyStand)[0-9A-Za-z_-]{35}|GOCSPX-[0-9A-Za-z_-]{24}|\b1//0[0-9A-Za-z_-]{30}")


def main() -> int:
    command = [str(Path(sys.executable).with_name("detect-secrets")), "scan", "--exclude-lines", _HARMLESS]
    scanned = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = [
        f"{name}:{each['line_number']}: {each['type']}"
        for name, results in json.loads(scanned.stdout)["results"].items()
        for each in results
        if not (name.startswith(_WITH_INVENTED_SECRETS) and each["type"] in _GUESSES)
    ]
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, timeout=60, check=True)
    for name in filter(lambda each: Path(each).is_file(), listed.stdout.splitlines()):
        text = Path(name).read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {match[0][:10]}…" for match in _GOOGLE.finditer(text)]
    sys.stdout.write("".join(f"{line}\n" for line in found) + f"{len(found)} secrets found\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
