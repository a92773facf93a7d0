"""The parameter `fields` of Google's APIs: many selections against a plain reading of the documentation.

The rules (https://developers.google.com/youtube/v3/getting-started#fields): a comma between members, "/" for
a member of a member, parentheses for several of them, and "*" for all members.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.fake_youtube import field_mask

NAMES = ("a", "b", "c")
#: The path of a selected member: all that is below its last name is selected.
Path = tuple[str, ...]

values = st.recursive(
    st.integers(0, 9),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(NAMES), below, max_size=3),
    max_leaves=12,
)
paths = st.lists(st.sampled_from((*NAMES, "*")), min_size=1, max_size=3).map(tuple)


@st.composite
def selections(draw: st.DrawFn) -> tuple[str, list[Path]]:
    """A text in any form that the grammar allows, and the paths that it selects."""
    parts, selected = [], []
    for _ in range(draw(st.integers(1, 4))):
        head = draw(paths)
        text = "/".join(head)
        if draw(st.booleans()):
            inner, below = draw(selections()) if draw(st.booleans()) else ("b,c/a", [("b",), ("c", "a")])
            text, found = f"{text}({inner})", [head + path for path in below]
        else:
            found = [head]
        parts.append(text)
        selected += found
    return draw(st.sampled_from((",", ", "))).join(parts), selected


def plainly(value: Any, selected: list[Path]) -> Any:
    """The selected part, by looking for each member whether any path leads to it."""
    if () in selected:
        return value
    if isinstance(value, list):
        return [plainly(item, selected) for item in value]
    if not isinstance(value, dict):
        return value
    below = {name: [path[1:] for path in selected if path[0] in (name, "*")] for name in value}
    return {name: plainly(value[name], rest) for name, rest in below.items() if rest}


@given(values, selections())
@settings(max_examples=150, deadline=None)
def test_a_selection_has_what_its_paths_lead_to(value: Any, selection: tuple[str, list[Path]]) -> None:
    text, selected = selection
    assert field_mask.apply(field_mask.parse(text), value) == plainly(value, selected)


@given(st.text("ab*,/() ", max_size=12))
@settings(max_examples=150, deadline=None)
def test_a_text_is_read_as_a_whole_or_not_at_all(text: str) -> None:
    """What can be read can be written plainly, and is read as the same again."""
    try:
        mask = field_mask.parse(text)
    except ValueError as error:
        assert str(error) == text  # noqa: PT017 most texts are malformed, and which ones is not known before
    else:
        assert mask == field_mask.parse(written(mask))


def written(mask: field_mask.Mask) -> str:
    return ",".join(name if below is None else f"{name}({written(below)})" for name, below in mask.items())


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "a,", ",a", "a,,b", "a/", "/a", "a//b", "a(", "a()", "a(b", "a)b", "a(b)c", "a b", "(a)"],
)
def test_a_malformed_text_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        field_mask.parse(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        # The documentation's own example of one answer in two forms.
        ("items/id,items/snippet/title,items/snippet/position", "items(id,snippet(title,position))"),
        ("a,a/b", "a"),
        ("a/b,a", "a"),
        ("a/b/c,a/b/d", "a/b(c,d)"),
        (" a , b ( c , d ) ", "a,b(c,d)"),
    ],
)
def test_two_forms_select_the_same(text: str, same: str) -> None:
    assert field_mask.parse(text) == field_mask.parse(same)
