"""The docstring of shared.errors draws exactly the errors that exist."""

from __future__ import annotations

import re

import pytest

from shared import errors
from shared.errors import DeliveryError, RequestError, YtsError


def _all(base: type[YtsError]) -> list[type[YtsError]]:
    return [base, *(each for child in base.__subclasses__() for each in _all(child))]


#: The errors of this module. Others derive from them elsewhere; for example, NotWritten is a Transient.
CLASSES = [each for each in _all(YtsError) if each.__module__ == errors.__name__]


def _drawn() -> dict[str, str]:
    """The parent of each class, by name, from the indentation of the drawing."""
    assert errors.__doc__ is not None
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        found = re.match(r"^([ │├└─]*)([A-Z]\w+)\b", line)
        if found is None or not hasattr(errors, found[2]):
            continue
        depth = len(found[1])
        path = [step for step in path if step[0] < depth]
        if path:
            parents[found[2]] = path[-1][1]
        path.append((depth, found[2]))
    return parents


def test_the_docstring_draws_every_error_below_its_parent() -> None:
    assert _drawn() == {each.__name__: each.__bases__[0].__name__ for each in CLASSES if each is not YtsError}


@pytest.mark.parametrize("kind", [each for each in CLASSES if each is not YtsError])
def test_an_error_is_of_a_request_or_of_a_message_and_has_a_docstring(kind: type[YtsError]) -> None:
    assert issubclass(kind, RequestError) != issubclass(kind, DeliveryError)
    assert kind.__doc__ or issubclass(kind, RequestError)


def test_the_docstring_shows_the_status_of_each_request_error() -> None:
    assert errors.__doc__ is not None
    for kind in CLASSES:
        if issubclass(kind, RequestError) and kind is not RequestError:
            assert re.search(rf"{kind.__name__} +{kind.status}\b", errors.__doc__), kind
            assert 400 <= kind.status < 600
