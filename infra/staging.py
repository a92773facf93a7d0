"""``python -m infra.staging NAME DIRECTORY``: prepares the source directory of one function for deployment.

``gcloud functions deploy --source`` uploads one directory, and a function can import only from there. So the
directory gets ``main.py``, the package ``shared`` and ``requirements.txt``. ``web`` serves the page, and the
routes of other functions. So it gets their main modules, ``frontend`` and the headers, too.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: What a staged directory holds besides files.
_TREES = ("shared", "functions", "frontend", "infra")
#: The other functions that `web` imports.
_IMPORTED = re.compile(r"^from functions\.(\w+)\.main import", re.MULTILINE)


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
    others = {path.name for path in directory.iterdir()} - {"main.py", "requirements.txt", *_TREES}
    if others:
        raise StagingError(f"{directory}: expected an empty directory, found {', '.join(sorted(others))}")
    for tree in _TREES:
        shutil.rmtree(directory / tree, ignore_errors=True)
    shutil.copyfile(main, directory / "main.py")
    served = dict.fromkeys(_IMPORTED.findall(main.read_text(encoding="utf-8")))
    (directory / "requirements.txt").write_text(requirements(name, *served), encoding="utf-8")
    _copy("shared", directory)
    if name == "web":
        for imported in served:
            _copy(f"functions/{imported}", directory)
        shutil.copyfile(ROOT / "functions" / "__init__.py", directory / "functions" / "__init__.py")
        _copy("frontend", directory)
        (directory / "infra").mkdir()
        shutil.copyfile(ROOT / "infra" / "headers.json", directory / "infra" / "headers.json")
    return directory


def requirements(*names: str) -> str:
    """The packages of every function, and those that only these ones need."""
    files = [ROOT / "requirements.txt", *(ROOT / "functions" / name / "requirements.txt" for name in names)]
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.is_file())


def _copy(tree: str, directory: Path) -> None:
    # Compiled files contain paths of this machine, and notes are of no use there.
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.md")
    shutil.copytree(ROOT / tree, directory / tree, ignore=ignored)


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
