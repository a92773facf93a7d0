"""One world for all tests here; the tests of a file that comes later may take it apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.visitors import World, made
from tests.stack import Stack


@pytest.fixture(scope="session")
def world(stack: Stack) -> Iterator[World]:
    found = made(stack)
    yield found
    for visitor in (found.owner, found.stranger, found.nobody):
        visitor.close()
