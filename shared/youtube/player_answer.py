"""Reads the JSON of YouTube's player, which is documented nowhere, without trusting its shape."""

from __future__ import annotations

from typing import Any


def member(value: Any, *names: str) -> Any:
    """The member of nested objects; None where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """The items of a list; an item that is no object becomes an empty one, so that all keep their places."""
    return [each if isinstance(each, dict) else {} for each in value] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text: a string, ``{"simpleText": …}`` or ``{"runs": [{"text": …}, …]}``. Empty for anything else."""
    if isinstance(value, dict):
        runs = [run.get("text") for run in objects(value.get("runs"))]
        value = value.get("simpleText") or "".join(each for each in runs if isinstance(each, str))
    return " ".join(value.split()) if isinstance(value, str) else ""
