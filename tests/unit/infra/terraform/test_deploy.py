"""infra/terraform/deploy.sh against a fake Google: the order, what is asked, and what a second run does."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.terraform.deployment import CLIENT, GIVEN, PROJECT, URL, Deployment


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
    # Nobody can make the record before the first deployment has said where it has to point.
    statuses = deployment.cloud["statuses"]
    deployment.set(certificate="PROVISIONING", statuses={"/api/health": "000"})
    status, printed = deployment.run("--yes", **GIVEN)
    assert status == 0, printed
    assert "https://yts.example.org/api/login/callback" in printed
    assert "The A record of yts.example.org has to point to 203.0.113.7." in printed
    assert "Smoke test" not in printed
    assert "US dollars a month" in printed

    status, printed = deployment.run("smoke")
    assert status == 1
    assert "The A record of yts.example.org has to point to 203.0.113.7." in printed
    deployment.set(certificate="ACTIVE", statuses=statuses)
    status, printed = deployment.run("smoke")
    assert status == 0, printed
    assert "What is internal cannot be reached." in printed


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
        ({"terraform": "1.5.7"}, "Terraform is of version 1.5.7, and has to be 1.9 or newer"),
        ({"database_error": "The service is unavailable."}, f"does not say whether {PROJECT} has a database"),
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


@pytest.mark.parametrize("argument", ["--force", "deploy", "destory"])
def test_an_unknown_argument_is_refused(deployment: Deployment, argument: str) -> None:
    status, printed = deployment.run(argument)
    assert status == 1
    assert "usage: deploy.sh" in printed
