"""The parameter `fields` of Google's APIs, which selects a part of an answer, as in
``items(id,snippet/title),etag``.

Grammar: https://developers.google.com/youtube/v3/getting-started#fields.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

#: The selected members and what is selected of each; None selects all of it.
Mask = dict[str, "Mask | None"]

_TOKEN = re.compile(r"[,/()]|[^\s,/()]+")
_END = ""


@lru_cache(maxsize=64)
def parse(text: str) -> Mask:
    """A member that is selected twice has what either selects: ``a/b,a/c`` is ``a(b,c)``.

    Raises:
        ValueError: the text does not follow the grammar.
    """
    tokens = [*_TOKEN.findall(text), _END]
    try:
        mask, end = _parse_list(tokens, 0)
    except ValueError as error:
        raise ValueError(text) from error
    if tokens[end] != _END:
        raise ValueError(text)
    return mask


def _parse_list(tokens: list[str], at: int) -> tuple[Mask, int]:
    """``a,b/c,d(e)``, and the position after it."""
    mask: Mask = {}
    while True:
        name, below, at = _parse_path(tokens, at)
        mask[name] = _union(mask[name], below) if name in mask else below
        if tokens[at] != ",":
            return mask, at
        at += 1


def _parse_path(tokens: list[str], at: int) -> tuple[str, Mask | None, int]:
    """``a``, ``a/b/c`` or ``a/b(c,d)``: the first name, what is selected below it, and the position after."""
    name = tokens[at]
    if name in (_END, ",", "/", "(", ")"):
        raise ValueError(name)
    at += 1
    if tokens[at] == "/":
        child, below, at = _parse_path(tokens, at + 1)
        return name, {child: below}, at
    if tokens[at] == "(":
        inner, at = _parse_list(tokens, at + 1)
        if tokens[at] != ")":
            raise ValueError(tokens[at])
        return name, inner, at + 1
    return name, None, at


def _union(one: Mask | None, other: Mask | None) -> Mask | None:
    """A mask that selects the members of both masks."""
    if one is None or other is None:
        return None
    return {
        name: _union(one[name], other[name]) if name in one and name in other else {**one, **other}[name]
        for name in {**one, **other}
    }


def check(mask: Mask, known: Mask) -> None:
    """`known`: the names that exist; None where any name is allowed below.

    Raises:
        ValueError: the mask selects an unknown name, which is the message.
    """
    for name, below in mask.items():
        if name != "*" and name not in known:
            raise ValueError(name)
        for inner in known.values() if name == "*" else [known[name]]:
            if below is not None and inner is not None:
                check(below, inner)


def apply(mask: Mask, value: Any) -> Any:
    """The selected part of a JSON value. A mask applies to each item of a list."""
    if isinstance(value, list):
        return [apply(mask, item) for item in value]
    if not isinstance(value, dict):
        return value
    selected: dict[str, Any] = {}
    for name, member in value.items():
        masks = [mask[each] for each in (name, "*") if each in mask]
        if masks:
            below = _union(masks[0], masks[-1])
            selected[name] = member if below is None else apply(below, member)
    return selected
