"""Exports: the use case behind ``GET /api/export``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from shared.errors import BadRequest
from shared.exports import files
from shared.exports.turns import Turns
from shared.messages import is_id
from shared.search.params import Params
from shared.search.placing import Placing
from shared.search.service import Search


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is being made. ``end``: has to be called when nobody reads its ``pieces`` any more."""

    name: str
    mimetype: str
    pieces: Iterator[bytes]
    end: Callable[[], None]


class Exports:
    """Thread-safe; one object a process."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._turns = Turns()

    def begin(
        self,
        user_id: str,
        titles: Callable[[], Mapping[str, str]],
        params: Params,
        placing: Placing | None,
        form: str,
    ) -> Export:
        """``titles``: the caller's library, asked again and again. ``form``: see :data:`files.FORMS`.

        The cursor in ``params`` is the id of the last video that is not wanted again. Nothing is limited.

        Raises:
            BadRequest: the cursor is no id, or Elasticsearch does not accept the search.
            TooMany: another export of the caller goes on, or too many others do.
            Transient: Elasticsearch does not answer. The pieces raise it, too.
        """
        after = params.cursor
        if after is not None and not is_id(after):
            raise BadRequest(f"cursor: expected the id of a video, found {after[:40]!r}.")
        videos = self._search.whole_videos(user_id, titles, params, placing, after=after)
        listed = self._search.listed_videos(user_id, titles, params, placing)
        mimetype, name = files.type_and_name(form)
        turn = self._turns.take(user_id)
        pieces = turn.watched(files.render(videos, listed, form))
        try:
            # Here, because an error has a status of its own until the answer has begun.
            first = list(islice(pieces, 1))
        except BaseException:
            turn.end()
            raise
        return Export(name, mimetype, chain(first, pieces), turn.end)
