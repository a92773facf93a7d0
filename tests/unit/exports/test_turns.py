"""One export a person, and a few in a process."""

from __future__ import annotations

import pytest

from shared.errors import TooMany, Transient
from shared.exports.turns import Turns


def test_one_export_a_person_and_a_few_in_a_process() -> None:
    turns = Turns(at_once=2)
    ada = turns.take("ada")
    with pytest.raises(TooMany, match="Another export of yours") as refused:
        turns.take("ada")
    assert refused.value.retry_after == 5
    turns.take("bea")
    with pytest.raises(TooMany, match="Too many exports"):
        turns.take("cid")
    ada.end()
    assert list(turns.take("cid").watched(iter([b"a", b"b"]))) == [b"a", b"b"]


def test_an_export_that_nobody_reads_gives_way() -> None:
    turns = Turns(stalled=0)
    pieces = turns.take("ada").watched(iter([b"a", b"b"]))
    assert next(pieces) == b"a"
    assert list(turns.take("ada").watched(iter([b"c"]))) == [b"c"]
    with pytest.raises(Transient, match="stood still"):
        next(pieces)
