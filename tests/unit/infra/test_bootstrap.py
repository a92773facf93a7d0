"""infra/local/bootstrap.py: when requirements are installed again."""

from __future__ import annotations

from pathlib import Path

from infra.local.bootstrap import digest_of


def test_the_digest_covers_included_files(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("a==1\n")
    (tmp_path / "dev.txt").write_text("-r base.txt\nb==1\n")
    before = digest_of(tmp_path / "dev.txt")
    assert digest_of(tmp_path / "dev.txt") == before
    (tmp_path / "base.txt").write_text("a==2\n")
    assert digest_of(tmp_path / "dev.txt") != before
