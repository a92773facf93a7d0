"""One function made ready to deploy: ``python -m infra.staging NAME DIRECTORY``.

``gcloud functions deploy --source`` uploads one directory, and only that is importable there. So
``main.py``, the package ``shared`` and ``requirements.txt`` are laid beside each other.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class StagingError(RuntimeError):
    """It cannot be staged; the message says what was expected and found."""


def stage(name: str, directory: Path) -> Path:
    """Lays the function ``name`` out in ``directory``, made if need be; answers the directory.

    What an earlier staging left there is replaced; a directory that holds anything else is refused.

    Raises:
        StagingError: there is no such function, or the directory is somebody else's.
    """
    main = ROOT / "functions" / name / "main.py"
    names = functions()
    if name not in names:
        raise StagingError(f"expected a function ({', '.join(names)}), found {name!r}")
    directory.mkdir(parents=True, exist_ok=True)
    strangers = {path.name for path in directory.iterdir()} - {"main.py", "shared", "requirements.txt"}
    if strangers:
        raise StagingError(f"{directory}: expected nothing in it, found {', '.join(sorted(strangers))}")
    shutil.rmtree(directory / "shared", ignore_errors=True)
    shutil.copyfile(main, directory / "main.py")
    shutil.copyfile(ROOT / "requirements.txt", directory / "requirements.txt")
    # Only source: compiled files name the paths of this machine, notes are for its readers.
    shutil.copytree(
        ROOT / "shared", directory / "shared", ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.md")
    )
    return directory


def functions() -> list[str]:
    """The names of all functions: the folders of ``functions/`` that have a main.py."""
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/main.py"))


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m infra.staging NAME DIRECTORY\n")
        return 2
    try:
        directory = stage(arguments[0], Path(arguments[1]))
    except StagingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{directory}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
