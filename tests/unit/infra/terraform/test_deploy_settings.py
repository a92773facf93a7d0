"""The settings of infra/terraform/deploy.sh: checked, kept, and shared by all checkouts."""

from __future__ import annotations

import pytest

from tests.unit.infra.terraform.deployment import CLIENT, GIVEN, PROJECT, Deployment


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
