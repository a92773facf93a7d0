"""A copy of infra/terraform/deploy.sh, and a Google of its own."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.staging import ROOT

FAKE = Path(__file__).with_name("fake_cloud.py")
#: Each deployment starts it fifty times. As a module it is compiled once.
_IMPORTED = (
    f"import sys\nsys.path[:0] = [{str(FAKE.parent)!r}]\nimport fake_cloud\nsys.exit(fake_cloud.main())\n"
)
PROJECT = "my-yts-project"
CLIENT = "123-abc.apps.googleusercontent.com"
URL = "https://web-123456789012.europe-west1.run.app"
GIVEN = {
    "YTS_PROJECT": PROJECT,
    "GOOGLE_OAUTH_CLIENT_ID": CLIENT,
    "YOUTUBE_API_KEY": "youtube-key-1",
    "GOOGLE_OAUTH_CLIENT_SECRET": "client-secret-1",
}


class Deployment:
    """A copy of the script, and a Google of its own."""

    def __init__(self, directory: Path) -> None:
        self.home, self.bin = directory / "cloud", directory / "bin"
        self.place = directory / "checkout" / "infra" / "terraform"
        for each in (self.home, self.bin, self.place):
            each.mkdir(parents=True)
        infra = self.place.parent
        for name in ("__init__.py", "packages.py", "plan_changes.py", "staging.py"):
            shutil.copy(ROOT / "infra" / name, infra / name)
        for path in (
            *(ROOT / "infra" / "terraform").glob("*.sh"),
            ROOT / "infra" / "terraform" / "variables.tf",
        ):
            shutil.copy(path, self.place / path.name)
        main = infra.parent / "functions" / "health" / "main.py"
        main.parent.mkdir(parents=True)
        main.write_text("", encoding="utf-8")
        (infra.parent / "shared").mkdir()
        (infra.parent / "requirements.txt").write_text("", encoding="utf-8")
        for name in ("gcloud", "terraform", "curl"):
            self._program(name, f"#!{sys.executable} -ISE\n{_IMPORTED}")
        # -S: the script needs no packages, and finding them takes a third of the time of a start.
        self._program("python3", f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
        self.set(**self._empty())

    @staticmethod
    def _empty() -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": "fake"}
        exec(FAKE.read_text(encoding="utf-8").replace('os.environ["FAKE_CLOUD"]', '"."'), namespace)  # noqa: S102
        empty: dict[str, Any] = namespace["EMPTY"]
        return empty

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text, encoding="utf-8")
        (self.bin / name).chmod(0o755)

    @property
    def cloud(self) -> dict[str, Any]:
        path = self.home / "cloud.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return found

    def set(self, **changes: Any) -> None:
        (self.home / "cloud.json").write_text(json.dumps(self.cloud | changes), encoding="utf-8")

    @property
    def settings(self) -> str:
        return (self.place / "terraform.tfvars").read_text(encoding="utf-8")

    @property
    def versions(self) -> dict[str, str]:
        """The numbers that Terraform gets: the secrets of the functions."""
        text = (self.place / "secrets.auto.tfvars.json").read_text(encoding="utf-8")
        found: dict[str, str] = json.loads(text)["secret_versions"]
        return found

    def another_checkout(self) -> None:
        """Forgets what only this checkout has."""
        for pattern in ("terraform.tfvars", ".settings.*", ".lock.*", ".terraform.lock.hcl", "secrets.auto*"):
            for path in self.place.glob(pattern):
                path.unlink()

    def calls(self, start: str = "") -> list[str]:
        lines = (self.home / "calls.txt").read_text(encoding="utf-8").splitlines()
        return [line for line in lines if line.startswith(start)]

    def forget_calls(self) -> None:
        (self.home / "calls.txt").unlink()

    def run(self, *arguments: str, typed: Sequence[str] = (), **environment: str) -> tuple[int, str]:
        """The status and everything that was printed. ``typed``: the lines of a person at a terminal."""
        variables = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "FAKE_CLOUD": str(self.home),
            "YTS_PAUSE_SECONDS": "0",
            "YTS_WAIT_SECONDS": "0",
            **environment,
        }
        command = ["bash", str(self.place / "deploy.sh"), *arguments]
        if not typed:
            done = subprocess.run(
                command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180
            )
            return done.returncode, done.stdout + done.stderr
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command, env=variables, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in typed).encode())
        killer = threading.Timer(180, process.kill)
        killer.start()
        printed, _ = process.communicate()
        killer.cancel()
        os.close(ours)
        return process.returncode, printed
