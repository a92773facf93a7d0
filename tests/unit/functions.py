"""The real functions under functions-framework's own app, in the test's process."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import functions_framework

from infra.staging import ROOT
from shared import logs
from shared.web.declaration import Declaration

#: A function with a route for everything that can happen.
SAMPLE = Path(__file__).with_name("sample_function.py")


def load(name: str, source: Path | None = None) -> tuple[Any, Any]:
    """Starts a function with the present environment. Returns a test client and its main module.

    ``source``: another file than the function's main.py.
    """
    source = source or ROOT / "functions" / name / "main.py"
    # The framework loads every function as a module of the file's name.
    before = sys.modules.get(source.stem)
    # `web` imports others, which read the environment as they start.
    for each in [each for each in sys.modules if each.startswith("functions.")]:
        del sys.modules[each]
    with settings_kept():
        try:
            create_app: Any = functions_framework.create_app
            app = create_app(name, str(source))
            return app.test_client(), sys.modules[source.stem]
        finally:
            sys.modules.pop(source.stem, None)
            if before is not None:
                sys.modules[source.stem] = before


def client(name: str, source: Path | None = None, **objects: object) -> Any:
    """A test client of a function. ``objects``: replace the objects of these names in its main module."""
    web, main = load(name, source)
    for each, replacement in objects.items():
        assert hasattr(main, each), f"{name} has no object {each}"
        setattr(main, each, replacement)
    return web


def endpoints(name: str) -> list[tuple[str, str, bool]]:
    """Method, rule and whether it is public, of every route of an HTTP function."""
    declared: list[Declaration] = load(name)[1].routes.declarations
    return [(each.method, each.rule, each.access.public) for each in declared]


@contextmanager
def settings_kept() -> Iterator[None]:
    """A function configures its process when it starts. The tests' process stays as it is."""
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    with _loggers_kept():
        try:
            yield
        finally:
            gc.set_threshold(*threshold)
            sys.setswitchinterval(interval)


@contextmanager
def json_logs() -> Iterator[None]:
    """Logs as a function does: JSON on standard output."""
    with _loggers_kept():
        logs.configure()
        yield


@contextmanager
def _loggers_kept() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("yts")
    handlers, levels = list(root.handlers), (root.level, ours.level)
    # Taken off first: logs.configure closes the handlers that it replaces, and pytest's must stay open.
    root.handlers = []
    try:
        yield
    finally:
        root.handlers = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
