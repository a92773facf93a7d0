"""The real functions under functions-framework's own app, in the test's process."""

from __future__ import annotations

import sys
from typing import Any

import functions_framework

from infra.staging import ROOT


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
