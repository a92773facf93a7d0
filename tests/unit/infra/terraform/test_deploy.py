"""infra/terraform/deploy.sh against a fake Google: the order, what is asked, and what a second run does."""

from __future__ import annotations

import base64
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

import pytest

from infra.staging import ROOT

FAKE = Path(__file__).with_name("fake_cloud.py")
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
        for name in ("__init__.py", "packages.py", "staging.py"):
            shutil.copy(ROOT / "infra" / name, infra / name)
        for name in ("deploy.sh", "deploy-checks.sh"):
            shutil.copy(ROOT / "infra" / "terraform" / name, self.place / name)
        main = infra.parent / "functions" / "health" / "main.py"
        main.parent.mkdir(parents=True)
        main.write_text("", encoding="utf-8")
        (infra.parent / "shared").mkdir()
        (infra.parent / "requirements.txt").write_text("", encoding="utf-8")
        for name in ("gcloud", "terraform", "curl"):
            self._program(name, f"#!{sys.executable} -ISE\n{FAKE.read_text(encoding='utf-8')}")
        self._program("python3", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
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
                command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
            )
            return done.returncode, done.stdout + done.stderr
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            command, env=variables, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        os.close(theirs)
        os.write(ours, "".join(f"{line}\n" for line in typed).encode())
        killer = threading.Timer(60, process.kill)
        killer.start()
        printed, _ = process.communicate()
        killer.cancel()
        os.close(ours)
        return process.returncode, printed


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def _deployed(deployment: Deployment) -> Deployment:
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    return deployment


def _positions(calls: list[str], *starts: str) -> list[int]:
    return [next(i for i, call in enumerate(calls) if call.startswith(start)) for start in starts]


def test_the_first_deployment_goes_in_order_and_prints_the_address(deployment: Deployment) -> None:
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    order = _positions(
        deployment.calls(),
        "gcloud services enable",
        "gcloud storage buckets create",
        "terraform init",
        "terraform apply -input=false -auto-approve -target=google_secret_manager_secret.secret",
        "gcloud secrets versions add",
        "terraform plan",
        "terraform apply -input=false yts.tfplan",
        "curl --silent --show-error --max-time 3600 -X POST",
        "curl --silent --output /dev/null",
    )
    assert order == sorted(order)
    assert f"The page:                    {URL}\n" in printed
    assert f"{URL}/api/login/callback" in printed
    assert "search server" in printed
    assert (deployment.place / ".packages" / "health.zip").is_file()


def test_answers_are_kept_and_secrets_are_not(deployment: Deployment) -> None:
    _deployed(deployment)
    expected = [
        f'project = "{PROJECT}"',
        'region = "europe-west1"',
        'operators = ["me@example.org"]',
        f'google_oauth_client_id = "{CLIENT}"',
    ]
    assert deployment.settings.splitlines() == expected
    everything = deployment.settings + "\n".join(deployment.calls())
    assert "youtube-key-1" not in everything
    assert "client-secret-1" not in everything
    assert "a-token" not in everything
    assert deployment.cloud["versions"]["yts-youtube-api-key"] == ["youtube-key-1"]


def test_with_a_domain_the_script_says_where_it_has_to_point(deployment: Deployment) -> None:
    (deployment.place / "terraform.tfvars").write_text('domain    = "yts.example.org"\n', encoding="utf-8")
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    assert "https://yts.example.org/api/login/callback" in printed
    assert "The A record of yts.example.org has to point to 203.0.113.7." in printed


def test_settings_of_a_person_are_left_as_they_are(deployment: Deployment) -> None:
    mine = 'region  = "us-central1"\noperators = ["you@example.org"]'  # without an end of the last line
    (deployment.place / "terraform.tfvars").write_text(mine, encoding="utf-8")
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    assert deployment.settings == f'{mine}\nproject = "{PROJECT}"\ngoogle_oauth_client_id = "{CLIENT}"\n'
    assert "--location=us-central1" in deployment.calls("gcloud storage buckets create")[0]


def test_the_key_of_grants_is_made(deployment: Deployment) -> None:
    made = _deployed(deployment).cloud["versions"]["yts-grant-encryption-keys"]
    assert len(made) == 1
    assert len(base64.urlsafe_b64decode(made[0])) == 32


def test_a_second_run_makes_and_asks_nothing(deployment: Deployment) -> None:
    _deployed(deployment).forget_calls()
    before = deployment.cloud
    status, printed = deployment.run("--yes")
    assert status == 0, printed
    assert "Nothing has to be changed." in printed
    assert deployment.cloud == before
    for changing in ("gcloud storage buckets create", "gcloud secrets versions add", "terraform import"):
        assert deployment.calls(changing) == []
    assert all("-target" in call for call in deployment.calls("terraform apply"))
    assert len(deployment.settings.splitlines()) == 4


def test_a_changed_secret_is_a_new_version_and_functions_get_its_number(deployment: Deployment) -> None:
    _deployed(deployment).forget_calls()
    deployment.set(changes=True)
    status, printed = deployment.run("--yes", **GIVEN | {"YOUTUBE_API_KEY": "youtube-key-2"})
    assert status == 0, printed
    assert deployment.cloud["versions"]["yts-youtube-api-key"] == ["youtube-key-1", "youtube-key-2"]
    assert 'YOUTUBE_API_KEY = "2"' in deployment.calls("terraform apply -input=false yts.tfplan")[0]
    assert 'GRANT_ENCRYPTION_KEYS = "1"' in deployment.calls("terraform plan")[0]


def test_a_person_is_asked_for_what_is_missing(deployment: Deployment) -> None:
    answers = [PROJECT, CLIENT, "typed-secret", "typed-key", "yes"]
    status, printed = deployment.run(typed=answers)
    assert status == 0, printed
    assert deployment.cloud["versions"]["yts-google-oauth-client-secret"] == ["typed-secret"]
    assert deployment.cloud["versions"]["yts-youtube-api-key"] == ["typed-key"]
    assert f"{URL}/api/login/callback" in printed
    assert "typed-secret" not in printed


def test_without_a_yes_nothing_is_deployed(deployment: Deployment) -> None:
    status, printed = deployment.run(typed=["no"], **GIVEN)
    assert status == 1
    assert "Nothing was changed." in printed
    assert deployment.calls("terraform apply -input=false yts.tfplan") == []


def test_what_is_not_ready_at_once_is_tried_a_second_time(deployment: Deployment) -> None:
    deployment.set(applies_that_fail=1)
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    deployment.set(applies_that_fail=2, changes=True)
    status, printed = deployment.run("--yes")
    assert status == 1
    assert "The deployment failed" in printed


@pytest.mark.parametrize("missing", ["terraform", "gcloud", "curl"])
def test_a_missing_program_is_named(deployment: Deployment, missing: str, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "sed", "head", "grep", "tail", "tr", "sh", "cat"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (deployment.bin / missing).unlink()
    status, printed = deployment.run(**GIVEN, PATH=f"{deployment.bin}:{tools}")
    assert status == 1
    assert f"The program {missing} is missing." in printed


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"account": "(unset)"}, "gcloud has no account. Run: gcloud auth login"),
        ({"billing": "False"}, f"The project {PROJECT} has no billing account"),
        ({"lacks": ["run.services.setIamPolicy"]}, f"lacks rights in {PROJECT}: run.services.setIamPolicy\n"),
        ({"statuses": {"/api/health": 503}}, "/api/health answers 503, and not 200"),
        (
            {"statuses": {"/api/health": 200, "/": 200, "/api/me": 200}},
            "/api/me answers 200 to somebody who is not signed in",
        ),
        (
            {"statuses": {"/api/health": 200, "/": 200, "/api/me": 401, "internal": 200}},
            "The function planner can be called from the internet.",
        ),
        ({"reindex": '{"error": "no server"}\n200'}, "The search index could not be made"),
    ],
)
def test_what_is_wrong_is_said_by_name(deployment: Deployment, broken: dict[str, Any], said: str) -> None:
    deployment.set(**broken)
    status, printed = deployment.run("--yes", **GIVEN, YTS_WAIT_SECONDS="0")
    assert status == 1
    assert said in printed


@pytest.mark.parametrize(
    ("withheld", "said"),
    [
        ("YTS_PROJECT", "No project. Set YTS_PROJECT"),
        ("GOOGLE_OAUTH_CLIENT_ID", "No OAuth client. Set GOOGLE_OAUTH_CLIENT_ID"),
        ("YOUTUBE_API_KEY", "YOUTUBE_API_KEY has no value."),
    ],
)
def test_without_a_terminal_a_missing_answer_is_named(
    deployment: Deployment, withheld: str, said: str
) -> None:
    status, printed = deployment.run(
        "--yes", **{name: each for name, each in GIVEN.items() if name != withheld}
    )
    assert status == 1
    assert said in printed
    assert deployment.calls("terraform plan") == []


@pytest.mark.parametrize("typed", [("yes",), ("another-project",), ("",)])
def test_nothing_is_taken_away_by_accident(deployment: Deployment, typed: tuple[str, ...]) -> None:
    _deployed(deployment).forget_calls()
    status, printed = deployment.run("--yes", "destroy", typed=typed)
    assert status == 1
    assert "Nothing was changed." in printed
    assert deployment.calls("terraform destroy") == []


def test_destroy_keeps_the_data_and_the_next_deployment_takes_them_over(deployment: Deployment) -> None:
    _deployed(deployment).forget_calls()
    kept = deployment.cloud["versions"]
    status, printed = deployment.run("destroy", typed=[PROJECT, "no"])
    assert status == 0, printed
    assert deployment.cloud["database"]
    assert deployment.cloud["versions"] == kept
    assert deployment.calls("gcloud firestore databases delete") == []

    status, printed = deployment.run("--yes")
    assert status == 0, printed
    assert deployment.calls("terraform import -input=false google_firestore_database.store")
    assert deployment.cloud["versions"] == kept


def test_destroy_deletes_data_only_when_that_is_typed(deployment: Deployment) -> None:
    _deployed(deployment)
    status, printed = deployment.run("destroy", typed=[PROJECT, "delete all data"])
    assert status == 0, printed
    assert not deployment.cloud["database"]
    assert deployment.cloud["versions"] == {}


@pytest.mark.parametrize("argument", ["--force", "deploy", "destory"])
def test_an_unknown_argument_is_refused(deployment: Deployment, argument: str) -> None:
    status, printed = deployment.run(argument)
    assert status == 1
    assert "usage: deploy.sh" in printed
