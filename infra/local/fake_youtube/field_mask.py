"""The parameter `fields` of Google's APIs, which selects a part of an answer, as in
``items(id,snippet/title),etag``.

Grammar: https://developers.google.com/youtube/v3/getting-started#fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

#: The selected members and what is selected of each; None selects all of it.
Mask = dict[str, "Mask | None"]


@lru_cache(maxsize=64)
def parse(text: str) -> Mask:
    """
    Raises:
        ValueError: the text does not follow the grammar.
    """
    compact = text.replace(" ", "")
    mask, end = _parse_list(compact, 0)
    if end != len(compact):
        raise ValueError(text)
    return mask


def _parse_list(text: str, at: int) -> tuple[Mask, int]:
    """``a,b/c,d(e)``, and the position after it."""
    mask: Mask = {}
    while True:
        (name, below), at = _parse_path(text, at)
        known = mask.get(name)
        mask[name] = {**known, **below} if known and below else below
        if at >= len(text) or text[at] != ",":
            return mask, at
        at += 1


def _parse_path(text: str, at: int) -> tuple[tuple[str, Mask | None], int]:
    """``a``, ``a/b/c`` or ``a/b(c,d)``: the first name and what is selected below it."""
    start = at
    while at < len(text) and text[at] not in ",/()":
        at += 1
    name = text[start:at]
    if not name:
        raise ValueError(text)
    if at < len(text) and text[at] == "/":
        (child, below), at = _parse_path(text, at + 1)
        return (name, {child: below}), at
    if at < len(text) and text[at] == "(":
        inner, at = _parse_list(text, at + 1)
        if at >= len(text) or text[at] != ")":
            raise ValueError(text)
        return (name, inner), at + 1
    return (name, None), at


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
    selected = value if "*" in mask else {name: value[name] for name in value if name in mask}
    return {
        name: member if (below := mask.get(name, mask.get("*"))) is None else apply(below, member)
        for name, member in selected.items()
    }
