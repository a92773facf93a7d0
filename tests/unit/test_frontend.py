"""Rules for the files of the page that need no browser to check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
#: The size of all files together, uncompressed.
_MAX_BYTES = 180_000
#: `import … from "/x.js"`, `export … from "./x.js"`, `import "/x.js"` and `import("/x.js")`.
_IMPORT = re.compile(r"""\b(?:from|import)\s*\(?\s*["']\.?/([\w-]+\.js)["']""")


def _imports(directory: Path) -> dict[str, set[str]]:
    """The modules that each module of a directory imports, by file name."""
    return {
        file.name: set(_IMPORT.findall(file.read_text(encoding="utf-8"))) for file in directory.glob("*.js")
    }


def _assert_no_cycle(imports: Mapping[str, set[str]]) -> None:
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"expected no import cycle, found {' → '.join(reversed(error.args[1]))}")


def test_the_page_is_smaller_than_180_000_bytes() -> None:
    # The reader of a Takeout is loaded by those few who import one.
    files = (file for file in FRONTEND.rglob("*") if not file.name.startswith("takeout"))
    assert sum(file.stat().st_size for file in files if file.is_file()) < _MAX_BYTES


def test_no_module_parses_text_as_html() -> None:
    parsers = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    for file in FRONTEND.glob("*.js"):
        assert not parsers.search(file.read_text(encoding="utf-8")), file.name


def test_no_file_loads_anything_from_another_origin() -> None:
    for file in FRONTEND.glob("*.[hjc]*s*"):
        loaded = re.findall(r'(?:from|src=|href=|url\()\s*"?(https?:[^"]*)', file.read_text(encoding="utf-8"))
        assert not loaded, file.name


def test_every_imported_module_exists() -> None:
    imports = _imports(FRONTEND)
    assert imports["app.js"], "no import was found"
    assert set().union(*imports.values()) <= set(imports)


def test_modules_have_no_import_cycle() -> None:
    _assert_no_cycle(_imports(FRONTEND))


@pytest.mark.parametrize(
    "closing_import",
    [
        'import { a } from "/a.js";',
        'import * as a from "/a.js";',
        "import {\n\ta,\n} from '/a.js';",
        'import "./a.js";',
        'export { a } from "/a.js";',
        'const a = await import("/a.js");',
    ],
)
def test_the_rule_against_import_cycles_can_fail(tmp_path: Path, closing_import: str) -> None:
    (tmp_path / "a.js").write_text('import { b } from "/b.js";')
    (tmp_path / "b.js").write_text('import { c } from "/c.js";')
    (tmp_path / "c.js").write_text("export const c = 1;")
    _assert_no_cycle(_imports(tmp_path))
    (tmp_path / "c.js").write_text(closing_import)
    with pytest.raises(
        pytest.fail.Exception, match=r"a\.js → b\.js → c\.js|b\.js → c\.js → a\.js|c\.js → a\.js"
    ):
        _assert_no_cycle(_imports(tmp_path))
