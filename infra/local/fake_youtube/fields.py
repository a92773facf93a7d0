"""Checks the fields of control requests. Messages say what was expected and what was found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

FieldTypes = Mapping[str, type | tuple[type, ...]]

_TYPE_NAMES: dict[type | tuple[type, ...], str] = {
    str: "a string",
    int: "an integer",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    (int, float): "a number",
    (str, int): "a string or an integer",
}


class ControlError(ValueError):
    """A control request is wrong. The caller receives the message with status 400."""


def quote(value: Any) -> str:
    """A value of a request for a message: as JSON, cut off after 80 characters."""
    return json.dumps(value)[:80]


def check_fields(fields: Mapping[str, Any], types: FieldTypes) -> None:
    """
    Raises:
        ControlError: a field is unknown or has the wrong type; null has none.
    """
    for name, value in fields.items():
        if name not in types:
            raise ControlError(f"expected only the fields {', '.join(sorted(types))}; found {quote(name)}")
        expected = types[name]
        # In Python a bool is an int, too.
        bool_for_number = isinstance(value, bool) and expected in (int, (int, float))
        if value is None or bool_for_number or not isinstance(value, expected):
            raise ControlError(f"expected {name!r} to be {_TYPE_NAMES[expected]}; found {quote(value)}")


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """
    Raises:
        ControlError: the field's value is not one of the choices.
    """
    allowed = list(choices)
    if value not in allowed:
        raise ControlError(f"expected {name!r} to be one of {', '.join(allowed)}; found {quote(value)}")
