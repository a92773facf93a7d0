"""The real functions under functions-framework's own app, in the test's process."""

from __future__ import annotations

import sys
from typing import Any

import functions_framework
import pytest

from infra.staging import ROOT
from shared import http


def client(name: str, source: str | None = None, *, signature: str = "http") -> Any:
    """A test client of a function; ``source``: another file than its own main.py."""
    # The framework loads every function as the module `main`.
    before = sys.modules.get("main")
    try:
        create_app: Any = functions_framework.create_app
        app = create_app(name, source or str(ROOT / "functions" / name / "main.py"), signature)
    finally:
        if before is not None:
            sys.modules["main"] = before
        else:
            sys.modules.pop("main", None)
    return app.test_client()


def endpoints(name: str) -> list[tuple[str, str, bool]]:
    """Method, rule and whether it is public, of every route of an HTTP function."""
    made: list[http.Routes] = []
    begin = http.Routes.__init__

    def noted(routes: http.Routes) -> None:
        begin(routes)
        made.append(routes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http.Routes, "__init__", noted)
        client(name)
    return made[0].endpoints
