"""The cursor with which the next page of a search is asked for."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import BadRequest
from shared.search.params import PLACED, Params
from shared.search.placing import is_place


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page.

    The first page is read from the index as it is. Only if there is a second one, a point in time is opened:
    most searches have one page, and a point in time costs as much as a search. All later pages are read from
    it, from the sort values ``after`` on and without the hits of the ``first`` page. So no hit is repeated
    or lost, whatever is indexed meanwhile.

    A search in the order of the library needs no point in time: see :mod:`shared.search.placing`.

    ``signature``: of the search. ``pit``: the point in time. ``total``: hits, as the first page counted them.
    """

    signature: str
    pit: str
    total: int
    first: Sequence[str]
    after: Sequence[Any]

    def encode(self) -> str:
        parts = [self.signature, self.pit, self.total, self.first, self.after]
        text = json.dumps(parts, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, params: Params) -> Cursor:
        """Raises BadRequest when it is not a cursor, or belongs to another search than ``params``."""
        try:
            parts = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            signature, pit, total, first, after = parts
            if bool(pit) == (params.sort in PLACED):
                raise ValueError("a point in time for the order of the library, or none for another")
            if not pit and not is_place(after):
                raise ValueError("no place")
            cursor = cls(str(signature), str(pit), int(total), [str(each) for each in first], list(after))
        except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
            raise BadRequest(
                f"cursor: expected one that a search has returned, found {text[:40]!r}."
            ) from error
        if cursor.signature != params.signature():
            raise BadRequest("cursor: it belongs to another search; leave it out to begin this one.")
        return cursor
