"""Python source as the rules of tests/unit/test_architecture.py read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """One file. ``path``: from the root of the repository, such as ``shared/gcp/pubsub.py``."""

    path: str
    text: str

    @classmethod
    @cache
    def read(cls, root: Path, path: Path) -> Source:
        """Each file once, because its tree takes longer than a rule."""
        return cls(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def names(self) -> dict[str, str]:
        """The full names of imported names, such as S: requests.Session."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name if alias.asname else alias.name.split(".")[0]
                    found[alias.asname or top] = top
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        return found

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and module of every import, wherever it stands.

        `from shared import clock` is shared.clock. A module that is computed is "?".
        """
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                if "." in module:
                    yield node.lineno, module
                else:
                    yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            elif isinstance(node, ast.Call) and _last(node.func) in ("import_module", "__import__"):
                named = node.args[0] if node.args else None
                yield node.lineno, str(named.value) if isinstance(named, ast.Constant) else "?"

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Every call and the full name of the function, as far as it can be seen."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node, self.full_name(node.func)

    def calls_at_import(self) -> Iterator[tuple[ast.Call, str]]:
        """As :meth:`calls`, without those in the bodies of functions."""
        inside = {
            id(node)
            for function in self.functions()
            for part in (function.body if isinstance(function.body, list) else [function.body])
            for node in ast.walk(part)
        }
        return ((call, name) for call, name in self.calls() if id(call) not in inside)

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield node

    def full_name(self, node: ast.expr) -> str:
        """The full name of an expression such as `requests.get`. "?" stands for a computed part."""
        if isinstance(node, ast.Attribute):
            return f"{self.full_name(node.value)}.{node.attr}"
        return self.names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"

    def module_variables(self) -> set[str]:
        """The names that are assigned at the top level of the module."""
        found = set()
        for node in self.tree.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            found |= {each.id for each in targets if isinstance(each, ast.Name)}
        return found


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def is_within(module: str, *packages: str) -> bool:
    """Whether a module is one of these, or in one of them."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)
