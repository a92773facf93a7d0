"""infra/terraform/deploy.sh takes nothing away that nobody was asked about."""

from __future__ import annotations

import pytest

from tests.unit.infra.terraform.deployment import GIVEN, PROJECT, Deployment


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
    for arguments, typed in ((["plan"], []), (["--yes"], []), (["--yes"], ["yes"])):
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


def test_a_plan_takes_nothing_over(deployed: Deployment) -> None:
    status, printed = deployed.run("destroy", typed=[PROJECT, "no"])
    assert status == 0, printed
    deployed.forget_calls()
    status, printed = deployed.run("plan")
    assert status == 0, printed
    assert deployed.calls("terraform import") == []


def test_it_is_said_what_is_away_meanwhile(deployed: Deployment) -> None:
    things = deployed.cloud["things"]
    deployed.set(things=[each for each in things if "web" not in each])
    status, printed = deployed.run("--yes")
    assert status == 1
    assert "The page is away until" in printed
    assert 'google_cloudfunctions2_function.function["web"]' in printed.split("for good:")[1]


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
