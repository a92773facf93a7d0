"""``python -m infra.staging NAME DIRECTORY``: prepares the source directory of one function for deployment.

``gcloud functions deploy --source`` uploads one directory, and a function can import only from there. So the
directory gets ``main.py``, the package ``shared`` and ``requirements.txt``.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class StagingError(RuntimeError):
    """The directory cannot be prepared. The message says what was expected and what was found."""


def stage(name: str, directory: Path) -> Path:
    """Copies the files of the function ``name`` to ``directory``, which it makes if needed and returns.

    Files of an earlier staging are replaced.

    Raises:
        StagingError: there is no such function, or the directory has other files.
    """
    main = ROOT / "functions" / name / "main.py"
    names = functions()
    if name not in names:
        raise StagingError(f"expected a function ({', '.join(names)}), found {name!r}")
    directory.mkdir(parents=True, exist_ok=True)
    others = {path.name for path in directory.iterdir()} - {"main.py", "shared", "requirements.txt"}
    if others:
        raise StagingError(f"{directory}: expected an empty directory, found {', '.join(sorted(others))}")
    shutil.rmtree(directory / "shared", ignore_errors=True)
    shutil.copyfile(main, directory / "main.py")
    shutil.copyfile(ROOT / "requirements.txt", directory / "requirements.txt")
    # Compiled files contain paths of this machine, and notes are of no use there.
    shutil.copytree(
        ROOT / "shared", directory / "shared", ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.md")
    )
    return directory


def functions() -> list[str]:
    """The names of all functions: the directories of ``functions/`` that have a main.py."""
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
