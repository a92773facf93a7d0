"""``python3 -m infra.packages DIRECTORY``: one zip for each function, as Terraform uploads it.

The same source always makes the same bytes. Otherwise each deployment would build every function again. Needs
nothing but Python.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.staging import functions, stage

#: The earliest time that a zip can hold. That of the files would change the bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def make(directory: Path) -> list[Path]:
    """Makes ``NAME.zip`` for every function and returns them. Removes those of functions that are gone."""
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name in functions():
        with TemporaryDirectory() as staged:
            made.append(_zip(stage(name, Path(staged)), directory / f"{name}.zip"))
    for old in set(directory.glob("*.zip")) - set(made):
        old.unlink()
    return made


def _zip(source: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(source.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(path.relative_to(source).as_posix(), _TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                package.writestr(entry, path.read_bytes())
    return target


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m infra.packages DIRECTORY\n")
        return 2
    for path in make(Path(arguments[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
