"""What schemathesis does besides, in a process of its own; see tests/integration/test_api_document.py."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any

import schemathesis

_IDS: dict[str, str] = json.loads(os.environ["DOCUMENT_IDS"])
_SECRETS: list[str] = json.loads(os.environ["DOCUMENT_SECRETS"])


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Half of the requests name things that exist, so that there are answers besides 404."""
    # What is deleted could not be asked for any more.
    if not path_parameters or context.operation.method == "delete":
        return path_parameters
    # The same requests at each try, or else Hypothesis calls them flaky.
    if zlib.crc32(repr(path_parameters).encode("utf-8", "surrogatepass")) % 2:
        return path_parameters
    return {name: _IDS.get(name, value) for name, value in path_parameters.items()}


@schemathesis.check
def reveals_nothing_of_another_person(context: Any, response: Any, case: Any) -> None:
    asked = f"{case.path_parameters} {case.query} {case.body}"
    text = response.content.decode("utf-8", "replace")  # a zip is no text
    found = [each for each in _SECRETS if each in text and each not in asked]
    assert not found, f"the answer reveals {found}"
