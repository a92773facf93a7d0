"""One world for all tests of this folder. test_traces.py comes last, because it ends parts of the world."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.security.visitors import World, make_world
from tests.stack import Stack


@pytest.fixture(scope="session")
def world(stack: Stack) -> Iterator[World]:
    found = make_world(stack)
    yield found
    for visitor in (found.owner, found.stranger, found.nobody):
        visitor.close()
