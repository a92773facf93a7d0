"""What schemathesis does besides, in a process of its own; see tests/integration/test_api_document.py."""

from __future__ import annotations

import itertools
import json
import os
from typing import Any

import schemathesis

_IDS: dict[str, str] = json.loads(os.environ["DOCUMENT_IDS"])
_SECRETS: list[str] = json.loads(os.environ["DOCUMENT_SECRETS"])
_calls = itertools.count()


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Every second request names things that exist, so that there are answers besides 404."""
    # What is deleted could not be asked for any more.
    if not path_parameters or context.operation.method == "delete" or next(_calls) % 2:
        return path_parameters
    return {name: _IDS.get(name, value) for name, value in path_parameters.items()}


@schemathesis.check
def reveals_nothing_of_another_person(context: Any, response: Any, case: Any) -> None:
    asked = f"{case.path_parameters} {case.query} {case.body}"
    found = [each for each in _SECRETS if each in response.text and each not in asked]
    assert not found, f"the answer reveals {found}"
