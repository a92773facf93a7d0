"""The `fields` parameter of Google's APIs: a partial answer, as ``items(id,snippet/title),etag``.

Grammar: https://developers.google.com/youtube/v3/getting-started#fields.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

#: None selects everything below.
Mask = dict[str, "Mask | None"]


@lru_cache(maxsize=64)
def parse(text: str) -> Mask:
    """
    Raises:
        ValueError: the selection cannot be understood.
    """
    mask, rest = _selection(text.replace(" ", ""), 0)
    if rest != len(text.replace(" ", "")):
        raise ValueError(text)
    return mask


def _selection(text: str, at: int) -> tuple[Mask, int]:
    mask: Mask = {}
    while True:
        start = at
        while at < len(text) and text[at] not in ",/()":
            at += 1
        name = text[start:at]
        if not name:
            raise ValueError(text)
        below: Mask | None = None
        if at < len(text) and text[at] == "/":
            # `a/b,c` selects a/b and c: only the next step belongs to `a`.
            below, at = _step(text, at + 1)
        elif at < len(text) and text[at] == "(":
            below, at = _selection(text, at + 1)
            if at >= len(text) or text[at] != ")":
                raise ValueError(text)
            at += 1
        known = mask.get(name)
        mask[name] = {**known, **below} if known and below else below
        if at >= len(text) or text[at] != ",":
            return mask, at
        at += 1


def _step(text: str, at: int) -> tuple[Mask, int]:
    start = at
    while at < len(text) and text[at] not in ",/()":
        at += 1
    if start == at:
        raise ValueError(text)
    below: Mask | None = None
    if at < len(text) and text[at] == "/":
        below, end = _step(text, at + 1)
        return {text[start:at]: below}, end
    name = text[start:at]
    if at < len(text) and text[at] == "(":
        below, at = _selection(text, at + 1)
        if at >= len(text) or text[at] != ")":
            raise ValueError(text)
        at += 1
    return {name: below}, at


def check(mask: Mask, known: Mask) -> None:
    """`known`: all names that there are; None where anything may be below.

    Raises:
        ValueError: the selection has a name that is not known; says which.
    """
    for name, below in mask.items():
        if name != "*" and name not in known:
            raise ValueError(name)
        for inner in known.values() if name == "*" else [known[name]]:
            if below is not None and inner is not None:
                check(below, inner)


def apply(mask: Mask, value: Any) -> Any:
    if isinstance(value, list):
        return [apply(mask, each) for each in value]
    if not isinstance(value, dict):
        return value
    chosen = value if "*" in mask else {name: value[name] for name in value if name in mask}
    return {
        name: each if (below := mask.get(name, mask.get("*"))) is None else apply(below, each)
        for name, each in chosen.items()
    }
