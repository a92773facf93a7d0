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


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which everything is deployed. A deployment takes seconds, and a copy of it nothing."""
    directory = tmp_path_factory.mktemp("deployed")
    status, printed = Deployment(directory).run("--yes", **GIVEN)
    assert status == 0, printed
    return directory


@pytest.fixture
def deployed(template: Path, deployment: Deployment, tmp_path: Path) -> Deployment:
    """A deployment that has been made."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
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
        "terraform apply -input=false secrets.tfplan",
        "gcloud secrets versions add",
        "terraform plan -input=false -detailed-exitcode",
        "terraform apply -input=false yts.tfplan",
        "curl --silent --show-error --max-time 3600 -X POST",
        "curl --silent --output /dev/null",
    )
    assert order == sorted(order)
    assert f"The page:                    {URL}\n" in printed
    assert f"{URL}/api/login/callback" in printed
    assert "search server" in printed
    assert (deployment.place / ".packages" / "health.zip").is_file()


def test_answers_are_kept_and_secrets_are_not(deployed: Deployment) -> None:
    expected = [
        f'project = "{PROJECT}"',
        'region = "europe-west1"',
        'operators = ["me@example.org"]',
        f'google_oauth_client_id = "{CLIENT}"',
    ]
    assert deployed.settings.splitlines() == expected
    everything = deployed.settings + "\n".join(deployed.calls())
    assert "youtube-key-1" not in everything
    assert "client-secret-1" not in everything
    assert "a-token" not in everything
    assert deployed.cloud["versions"]["yts-youtube-api-key"] == ["youtube-key-1"]


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


def test_the_key_of_grants_is_made(deployed: Deployment) -> None:
    made = deployed.cloud["versions"]["yts-grant-encryption-keys"]
    assert len(made) == 1
    assert len(base64.urlsafe_b64decode(made[0])) == 32


def test_a_second_run_makes_and_asks_nothing(deployed: Deployment) -> None:
    deployed.forget_calls()
    before = deployed.cloud
    status, printed = deployed.run("--yes")
    assert status == 0, printed
    assert "Nothing has to be changed." in printed
    assert deployed.cloud == before
    for changing in (
        "gcloud storage buckets create",
        "gcloud storage cp",
        "gcloud secrets versions add",
        "terraform import",
        "terraform apply",
    ):
        assert deployed.calls(changing) == []
    assert len(deployed.settings.splitlines()) == 4


def test_a_changed_secret_is_a_new_version_and_functions_get_its_number(deployed: Deployment) -> None:
    deployed.forget_calls()
    status, printed = deployed.run("--yes", **GIVEN | {"YOUTUBE_API_KEY": "youtube-key-2"})
    assert status == 0, printed
    assert deployed.cloud["versions"]["yts-youtube-api-key"] == ["youtube-key-1", "youtube-key-2"]
    expected = {"GOOGLE_OAUTH_CLIENT_SECRET": "1", "GRANT_ENCRYPTION_KEYS": "1", "YOUTUBE_API_KEY": "2"}
    assert deployed.versions == expected


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


METRIC = (
    "Error 404: Cannot find metric. If a metric was created recently, it could take up to 10 minutes to"
    " become available. Please try again soon."
)


def test_what_is_not_ready_at_once_is_tried_until_it_is(deployment: Deployment) -> None:
    deployment.set(apply_errors=["Error 403: no right yet"])
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    deployment.set(apply_errors=[METRIC] * 3, things=[*deployment.cloud["things"], "google_pubsub_topic.new"])
    status, printed = deployment.run("--yes", YTS_WAIT_SECONDS="30")
    assert status == 0, printed
    assert printed.count("Trying again in a minute.") == 3


@pytest.mark.parametrize("errors", [["Error 400: wrong"] * 2, [METRIC] * 2])
def test_what_fails_again_is_not_tried_for_ever(deployment: Deployment, errors: list[str]) -> None:
    deployment.set(apply_errors=errors)
    status, printed = deployment.run("--yes", **GIVEN, YTS_WAIT_SECONDS="30" if "400" in errors[0] else "0")
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
        (
            {"api_errors": ["API is disabled"]},
            f'has in {PROJECT}: {{"error": {{"message": "API is disabled"}}}}',
        ),
        ({"regions": []}, "The bucket cannot be made in europe-west1"),
        ({"database": ["us-central1", "FIRESTORE_NATIVE"]}, 'Set region = "us-central1" in terraform.tfvars'),
        ({"database": ["europe-west1", "DATASTORE_MODE"]}, "is of the type DATASTORE_MODE"),
        ({"account": "robot@x.iam.gserviceaccount.com"}, "is a service account. Set YTS_OPERATORS"),
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
    assert deployment.calls("terraform plan -input=false -detailed-exitcode") == []


@pytest.mark.parametrize("typed", [("yes",), ("another-project",), ("",)])
def test_nothing_is_taken_away_by_accident(deployed: Deployment, typed: tuple[str, ...]) -> None:
    deployed.forget_calls()
    status, printed = deployed.run("--yes", "destroy", typed=typed)
    assert status == 1
    assert "Nothing was changed." in printed
    assert deployed.calls("terraform destroy") == []


def test_destroy_keeps_the_data_and_the_next_deployment_takes_them_over(deployed: Deployment) -> None:
    deployed.forget_calls()
    kept = deployed.cloud["versions"]
    status, printed = deployed.run("destroy", typed=[PROJECT, "no"])
    assert status == 0, printed
    assert deployed.cloud["database"]
    assert deployed.cloud["versions"] == kept
    assert deployed.calls("gcloud firestore databases delete") == []

    status, printed = deployed.run("--yes")
    assert status == 0, printed
    assert deployed.calls("terraform import -input=false google_firestore_database.store")
    assert deployed.cloud["versions"] == kept


def test_destroy_deletes_data_only_when_that_is_typed(deployed: Deployment) -> None:
    status, printed = deployed.run("destroy", typed=[PROJECT, "delete all data"])
    assert status == 0, printed
    assert deployed.cloud["database"] is None
    assert deployed.cloud["versions"] == {}


def test_data_are_deleted_also_when_the_network_is_still_in_use(deployed: Deployment) -> None:
    deployed.set(destroy_fails=True)
    status, printed = deployed.run("destroy", typed=[PROJECT, "delete all data"])
    assert status == 1
    assert "Run this again then, with the same answers." in printed
    assert deployed.cloud["database"] is None
    deployed.set(destroy_fails=False)
    status, printed = deployed.run("destroy", typed=[PROJECT, "delete all data"])
    assert status == 0, printed
    assert "Everything is gone" in printed


# -- nothing is lost unasked -----------------------------------------------------------------------


@pytest.fixture
def with_a_proxy(deployed: Deployment) -> Deployment:
    """A deployment with a secret that is not needed any more."""
    needed = deployed.cloud["secrets"]
    deployed.set(secrets=[*needed, "PROXY_URL"])
    status, printed = deployed.run("--yes", PROXY_URL="http://proxy")
    assert status == 0, printed
    deployed.set(secrets=needed)
    deployed.forget_calls()
    return deployed


def test_a_secret_that_is_not_needed_goes_only_when_the_project_is_typed(with_a_proxy: Deployment) -> None:
    deployment = with_a_proxy
    for arguments, typed in ((["plan"], []), (["--yes"], []), ([], ["yes"]), (["--yes"], ["yes"])):
        status, printed = deployment.run(*arguments, typed=typed)
        assert status == (0 if arguments == ["plan"] else 1), printed
        assert deployment.cloud["versions"]["yts-proxy-url"] == ["http://proxy"]
        assert deployment.calls("terraform apply") == []
    assert 'google_secret_manager_secret.secret["PROXY_URL"]' in printed
    assert "--yes takes nothing away." in printed
    status, printed = deployment.run(typed=[PROJECT])
    assert status == 0, printed
    assert "yts-proxy-url" not in deployment.cloud["versions"]


def test_a_missing_secret_is_made_without_taking_another_one_away(with_a_proxy: Deployment) -> None:
    deployment = with_a_proxy
    needed = deployment.cloud["secrets"]
    deployment.set(secrets=[*needed, "WEBSHARE_PROXY_PASSWORD"])
    assert deployment.run("--yes", WEBSHARE_PROXY_PASSWORD="webshare")[0] == 1
    assert deployment.cloud["versions"]["yts-webshare-proxy-password"] == ["webshare"]
    assert deployment.cloud["versions"]["yts-proxy-url"] == ["http://proxy"]


def test_a_plan_makes_no_secret(deployment: Deployment) -> None:
    status, printed = deployment.run("plan", **GIVEN)
    assert status == 0, printed
    assert deployment.cloud["versions"] == {}
    assert deployment.calls("terraform apply") == []
    assert deployment.versions == {}


def test_a_plan_knows_the_versions_that_are_there(deployed: Deployment) -> None:
    deployed.another_checkout()
    status, printed = deployed.run("plan", YTS_PROJECT=PROJECT)
    assert status == 0, printed
    assert deployed.versions["YOUTUBE_API_KEY"] == "1"


def test_a_key_that_is_disabled_is_not_replaced(deployed: Deployment) -> None:
    before = deployed.cloud["versions"]
    deployed.set(disabled=["yts-grant-encryption-keys"])
    status, printed = deployed.run("--yes")
    assert status == 1
    assert "gcloud secrets versions enable 1 --secret=yts-grant-encryption-keys" in printed
    assert deployed.cloud["versions"] == before


@pytest.mark.parametrize(
    ("anew", "said"),
    [
        ("google_compute_disk.search[0]", "can only grow: raise elasticsearch_disk_gb again."),
        ("google_firestore_database.store", "The database cannot be moved"),
    ],
)
def test_what_cannot_be_made_again_is_never_made_anew(deployed: Deployment, anew: str, said: str) -> None:
    deployed.set(anew=[anew])
    deployed.forget_calls()
    status, printed = deployed.run(typed=[PROJECT])
    assert status == 1
    assert said in printed
    assert deployed.calls("terraform apply") == []


# -- settings --------------------------------------------------------------------------------------


def test_another_checkout_takes_over_settings_and_provider(deployed: Deployment) -> None:
    (deployed.place / "terraform.tfvars").write_text(
        f'{deployed.settings}egress = "proxy"\n', encoding="utf-8"
    )
    assert deployed.run("--yes")[0] == 0
    settings = deployed.settings
    deployed.another_checkout()
    deployed.set(provider="9.0.0")
    status, printed = deployed.run("--yes", YTS_PROJECT=PROJECT)
    assert status == 0, printed
    assert "Taking the settings of the last deployment" in printed
    assert deployed.settings == settings
    assert (deployed.place / ".terraform.lock.hcl").read_text(encoding="utf-8") == "google 8.7.0\n"


def test_a_provider_that_is_too_old_for_this_version_is_replaced(deployment: Deployment) -> None:
    bucket = f"gs://{PROJECT}-yts-terraform"
    deployment.set(buckets=[bucket], objects={f"{bucket}/terraform.lock.hcl": "google too-old\n"})
    deployment.run("--yes", **GIVEN)
    assert deployment.cloud["objects"][f"{bucket}/terraform.lock.hcl"] == "google 8.7.0\n"


def test_settings_of_another_checkout_are_not_undone_by_accident(deployed: Deployment) -> None:
    mine = deployed.settings
    theirs = f'{mine}domain = "yts.example.org"\n'
    deployed.set(objects={f"gs://{PROJECT}-yts-terraform/terraform.tfvars": theirs})
    for arguments, typed in ((["--yes"], []), (["--yes"], ["yes"]), ([], ["no"])):
        deployed.forget_calls()
        status, printed = deployed.run(*arguments, typed=typed)
        assert status == 1
        assert '-domain = "yts.example.org"' in printed
        assert "Nothing was changed." in printed
        assert deployed.calls("terraform plan") == []
    status, printed = deployed.run(typed=[PROJECT])
    assert status == 0, printed
    assert deployed.cloud["objects"][f"gs://{PROJECT}-yts-terraform/terraform.tfvars"] == mine
    # And now the other one is asked.
    assert deployed.run("--yes")[0] == 0


@pytest.mark.parametrize(
    ("variable", "other", "kept"),
    [
        ("YTS_PROJECT", "another-project", PROJECT),
        ("YTS_REGION", "us-central1", "europe-west1"),
        ("GOOGLE_OAUTH_CLIENT_ID", "9-z.apps.googleusercontent.com", CLIENT),
        ("YTS_OPERATORS", "you@example.org", "operators in terraform.tfvars does not"),
    ],
)
def test_a_variable_that_contradicts_a_setting_is_not_ignored(
    deployed: Deployment, variable: str, other: str, kept: str
) -> None:
    deployed.forget_calls()
    status, printed = deployed.run("--yes", **{variable: other})
    assert status == 1
    assert f"{other}" in printed
    assert kept in printed
    assert deployed.calls("terraform plan") == []


@pytest.mark.parametrize(
    ("variable", "wrong", "said"),
    [
        ("YTS_PROJECT", 'My"Project', "project: expected the id of a project"),
        ("YTS_REGION", "Europe", "region: expected the name of a region"),
        ("YTS_REGION", "mars-east1", "The bucket cannot be made in mars-east1"),
        (
            "GOOGLE_OAUTH_CLIENT_ID",
            'GOCSPX-"secret',
            "google_oauth_client_id: expected the id of an OAuth client",
        ),
        ("YTS_OPERATORS", 'me@example.org"', "operators: expected e-mail addresses"),
    ],
)
def test_a_wrong_answer_is_not_kept(deployment: Deployment, variable: str, wrong: str, said: str) -> None:
    status, printed = deployment.run("--yes", **GIVEN | {variable: wrong})
    assert status == 1
    assert said in printed
    settings = deployment.place / "terraform.tfvars"
    assert not settings.exists() or wrong not in settings.read_text(encoding="utf-8")


def test_a_service_account_names_people(deployment: Deployment) -> None:
    robot = f"robot@{PROJECT}.iam.gserviceaccount.com"
    deployment.set(account=robot)
    status, printed = deployment.run("--yes", **GIVEN, YTS_OPERATORS="me@example.org,you@example.org")
    assert status == 0, printed
    assert f'operators = ["me@example.org", "you@example.org", "{robot}"]' in deployment.settings
    assert deployment.run("--yes", YTS_OPERATORS="you@example.org")[0] == 0


def test_an_api_that_was_just_switched_on_is_waited_for(deployment: Deployment) -> None:
    deployment.set(api_errors=["API is disabled"] * 3)
    status, printed = deployment.run("--yes", **GIVEN, YTS_WAIT_SECONDS="30")
    assert status == 0, printed


def test_the_state_always_keeps_old_versions(deployment: Deployment) -> None:
    # An earlier run ended between making the bucket and this.
    deployment.set(buckets=[f"gs://{PROJECT}-yts-terraform"])
    deployment.run("--yes", **GIVEN)
    assert deployment.calls(f"gcloud storage buckets update gs://{PROJECT}-yts-terraform --versioning")


def test_a_smoke_test_ends_where_its_preparation_fails(deployed: Deployment) -> None:
    deployed.set(lacks=["run.services.setIamPolicy"])
    status, printed = deployed.run("smoke")
    assert status == 1
    assert "Smoke test" not in printed


@pytest.mark.parametrize("argument", ["--force", "deploy", "destory"])
def test_an_unknown_argument_is_refused(deployment: Deployment, argument: str) -> None:
    status, printed = deployment.run(argument)
    assert status == 1
    assert "usage: deploy.sh" in printed
