"""infra/packages.py: the zips that Terraform uploads."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

from infra import packages
from infra.staging import functions


def test_every_function_has_a_zip_with_its_main_and_shared(tmp_path: Path) -> None:
    made = packages.make(tmp_path)
    assert [path.name for path in made] == [f"{name}.zip" for name in functions()]
    names = zipfile.ZipFile(tmp_path / "dead_letters.zip").namelist()
    assert {"main.py", "requirements.txt", "shared/config.py"} <= set(names)
    assert not any("__pycache__" in name for name in names)


def test_the_same_source_makes_the_same_bytes(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in packages.make(tmp_path / "one")}
    # Neither the time nor the rights of new files count.
    before = os.umask(0o077)
    try:
        time.sleep(2)  # A zip counts in steps of two seconds.
        second = {path.name: path.read_bytes() for path in packages.make(tmp_path / "two")}
    finally:
        os.umask(before)
    assert first == second


def test_the_zip_of_a_function_that_is_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / "old.zip").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    packages.make(tmp_path)
    assert not (tmp_path / "old.zip").exists()
    assert (tmp_path / "notes.txt").exists()


def test_a_directory_has_to_be_named() -> None:
    assert packages.main([]) == 2
