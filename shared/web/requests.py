"""The bodies and parameters of requests, read and checked."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from flask import Request

from shared.errors import BadRequest

C = TypeVar("C", bound=str)
#: Bytes of a request's body, and of one that holds thousands of videos or lines. The gateway takes no more.
MAXIMUM_BODY, MAXIMUM_LIST = 65_536, 900_000


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body, whatever its content type is.

    Raises:
        BadRequest: says what was found instead.
        RequestEntityTooLarge: the body is too long (see shared.web.routing).
    """
    data = request.get_data()
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"Expected a JSON object, found {data[:80]!r}.") from error
    if not isinstance(body, dict):
        raise BadRequest(f"Expected a JSON object, found {type(body).__name__}.")
    return body


def flag_of(body: dict[str, Any], name: str) -> bool:
    """A field that is true, false or missing. Raises BadRequest for anything else."""
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise BadRequest(f"{name}: expected true or false, found {json.dumps(value)[:40]}.")
    return value


def limit_of(request: Request, default: int, maximum: int) -> int:
    """The ``limit`` parameter. Raises BadRequest when it is not a number from 1 to ``maximum``."""
    text = request.args.get("limit", str(default))
    if not (re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= maximum):
        raise BadRequest(f"limit: expected a number from 1 to {maximum}, found {text[:40]!r}.")
    return int(text)


def choice_of(request: Request, name: str, choices: Sequence[C]) -> C | None:
    """A parameter with fixed values. None when it is missing or empty. Raises BadRequest for others."""
    value = request.args.get(name)
    if not value:
        return None
    for choice in choices:
        if choice == value:
            return choice
    raise BadRequest(f"{name}: expected one of {', '.join(choices)}, found {value[:40]!r}.")
