"""A deployment that is about to be made, and one that has been made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.infra.terraform.deployment import GIVEN, Deployment


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


@pytest.fixture(scope="session")
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
