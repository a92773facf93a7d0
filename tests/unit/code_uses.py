"""What a function really uses, read from its source: topics, secrets, store, search server.

It begins at ``functions/NAME/main.py`` and follows every function and method that can be reached. The class
of an object is known from its construction, or from the annotation of a parameter or result. Other objects
are not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from tests.unit.source_code import Source

ROOT = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef
CONFIG, STORE = "shared.config.Config", "shared.gcp.firestore.Firestore"
TOPICS, SERVER = "shared.gcp.pubsub.Topics", "shared.search.server.SearchServer"


@dataclass
class Uses:
    """``reached``: full names of functions and methods. ``fields``: of Config. ``topics``: published to."""

    reached: set[str] = field(default_factory=set)
    fields: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)


@dataclass
class Module:
    """``definitions``: its classes and functions. ``variables``: its objects and their classes."""

    name: str
    source: Source

    @cached_property
    def definitions(self) -> dict[str, ast.ClassDef | Function]:
        body = self.source.tree.body
        return {node.name: node for node in body if isinstance(node, ast.ClassDef | Function)}

    def full_name(self, name: str) -> str:
        return f"{self.name}.{name}" if name in self.definitions else self.source.names.get(name, "")


@cache
def module(name: str) -> Module | None:
    path = ROOT / (name.replace(".", "/") + ".py")
    path = path if path.is_file() else ROOT / name.replace(".", "/") / "__init__.py"
    return Module(name, Source.read(ROOT, path)) if path.is_file() else None


@cache
def definition(full_name: str) -> tuple[Module, ast.ClassDef | Function] | None:
    where, _, name = full_name.rpartition(".")
    found = module(where) if where else None
    node = found.definitions.get(name) if found else None
    return (found, node) if found and node else None


def class_of(full_name: str) -> tuple[Module, ast.ClassDef] | None:
    found = definition(full_name)
    return (found[0], found[1]) if found and isinstance(found[1], ast.ClassDef) else None


def methods(node: ast.ClassDef) -> dict[str, Function]:
    return {each.name: each for each in node.body if isinstance(each, Function)}


def uses(name: str) -> Uses:
    """What the function ``name`` uses."""
    main = module(f"functions.{name}.main")
    assert main is not None, f"functions/{name}/main.py does not exist"
    walk = _Walk()
    walk.body(_Scope(main, None, _variables(main)), main.source.tree)
    while walk.waiting:
        walk.function(*walk.waiting.pop())
    return walk.found


@dataclass(frozen=True)
class _Scope:
    """Where a piece of code stands. ``variables``: names and the full names of their classes."""

    module: Module
    owner: str | None
    variables: dict[str, str]

    def type_of(self, node: ast.AST | None) -> str:
        """The full name of the class of an expression. Empty if it is not known."""
        if isinstance(node, ast.Name):
            return (self.owner or "") if node.id == "self" else self.variables.get(node.id, "")
        if isinstance(node, ast.BoolOp):
            return next(filter(None, map(self.type_of, node.values)), "")
        if isinstance(node, ast.Attribute):
            owner = self.type_of(node.value)
            return _attributes(owner).get(node.attr, "") if owner else ""
        if isinstance(node, ast.Call):
            called = self.called(node.func)
            if class_of(called):
                return called
            found = self.callable_of(node.func)
            return found[0].annotated(found[1].returns) if found else ""
        return ""

    def annotated(self, node: ast.AST | None) -> str:
        names = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)] if node else []
        return next((full for each in names if class_of(full := self.module.full_name(each))), "")

    def called(self, node: ast.AST) -> str:
        """The full name of a class or function, if it is named directly or by its module."""
        if isinstance(node, ast.Name):
            return self.module.full_name(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            holder = self.module.full_name(node.value.id)
            return f"{holder}.{node.attr}" if holder and definition(f"{holder}.{node.attr}") else ""
        return ""

    def callable_of(self, node: ast.AST) -> tuple[_Scope, Function, str] | None:
        """The function or method that an expression names, its scope and its full name."""
        full = self.called(node)
        found = definition(full) if full else None
        if found and isinstance(found[1], Function):
            return _Scope(found[0], None, _variables(found[0])), found[1], full
        owner = self.type_of(node.value) if isinstance(node, ast.Attribute) else ""
        holder = class_of(owner) if owner else None
        if isinstance(node, ast.Attribute) and holder and node.attr in methods(holder[1]):
            scope = _Scope(holder[0], owner, _variables(holder[0]))
            return scope, methods(holder[1])[node.attr], f"{owner}.{node.attr}"
        return None


class _Walk:
    def __init__(self) -> None:
        self.found = Uses()
        self.waiting: list[tuple[_Scope, Function]] = []

    def function(self, scope: _Scope, node: Function) -> None:
        arguments = [*node.args.args, *node.args.kwonlyargs]
        known = {each.arg: scope.annotated(each.annotation) for each in arguments}
        inner = _Scope(scope.module, scope.owner, scope.variables | known)
        for name, value in _assigned(node):
            inner.variables.setdefault(name, inner.type_of(value))
        self.body(inner, node)

    def body(self, scope: _Scope, tree: ast.AST) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and scope.type_of(node.value) == CONFIG:
                self.found.fields.add(node.attr)
            if isinstance(node, ast.Call):
                self._call(scope, node)
            if isinstance(node, ast.Name | ast.Attribute) and (reached := scope.callable_of(node)):
                self._reach(*reached)

    def _call(self, scope: _Scope, node: ast.Call) -> None:
        full = scope.called(node.func)
        if holder := class_of(full) if full else None:
            inner = _Scope(holder[0], full, _variables(holder[0]))
            self.found.reached.add(full)
            if "__init__" in methods(holder[1]):
                self._reach(inner, methods(holder[1])["__init__"], f"{full}.__init__")
        elif isinstance(node.func, ast.Attribute) and node.args:
            owner, constant = scope.type_of(node.func.value), node.args[0]
            if isinstance(constant, ast.Constant) and (owner, node.func.attr) == (CONFIG, "secret"):
                self.found.fields.add(str(constant.value))
            if (owner, node.func.attr) == (TOPICS, "publish"):
                assert isinstance(constant, ast.Constant), f"{scope.module.name}: a topic is computed"
                self.found.topics.add(str(constant.value))

    def _reach(self, scope: _Scope, node: Function, full: str) -> None:
        if full not in self.found.reached:
            self.found.reached.add(full)
            self.waiting.append((scope, node))


def _assigned(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """The names that are assigned to, and the values; also ``a, b = x, y`` and ``with x as a``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _pairs(target, node.value)
        elif isinstance(node, ast.With):
            for item in node.items:
                if item.optional_vars is not None:
                    yield from _pairs(item.optional_vars, item.context_expr)


def _pairs(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, other in zip(target.elts, value.elts, strict=True):
            yield from _pairs(one, other)
    elif isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        yield f"{target.value.id}.{target.attr}", value


_VARIABLES: dict[str, dict[str, str]] = {}


def _variables(of: Module) -> dict[str, str]:
    """The objects of a module, and their classes."""
    if of.name not in _VARIABLES:
        # Known before it is complete, because a value may come from a function of the same module.
        known = _VARIABLES.setdefault(of.name, {})
        top = ast.Module([node for node in of.source.tree.body if isinstance(node, ast.Assign)], [])
        for variable, value in _assigned(top):
            known[variable] = _Scope(of, None, known).type_of(value)
    return dict(_VARIABLES[of.name])


@cache
def _attributes(full_name: str) -> dict[str, str]:
    """The attributes of a class and their classes: annotated ones, and those that ``__init__`` assigns."""
    holder = class_of(full_name)
    if holder is None:
        return {}
    place, node = holder
    scope = _Scope(place, None, _variables(place))
    found = {
        each.target.id: scope.annotated(each.annotation)
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    }
    for method in methods(node).values():
        if any(isinstance(each, ast.Name) and each.id == "property" for each in method.decorator_list):
            found[method.name] = scope.annotated(method.returns)
    if init := methods(node).get("__init__"):
        known = {
            each.arg: scope.annotated(each.annotation) for each in [*init.args.args, *init.args.kwonlyargs]
        }
        inner = _Scope(place, None, scope.variables | known)
        for name, value in _assigned(init):
            if name.startswith("self."):
                found[name.removeprefix("self.")] = inner.type_of(value)
    return found
