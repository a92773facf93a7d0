"""What a caller searches: the own library, or for a guest one source of somebody else."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from shared.accounts.auth import Caller
from shared.errors import NotFound
from shared.gcp.firestore import Firestore
from shared.keep import searches
from shared.library.collections import is_collection
from shared.library.memberships import titles
from shared.library.placement import placing
from shared.search.params import Asked, Params
from shared.search.placing import Placing


def searchable(db: Firestore, caller: Caller) -> Mapping[str, str]:
    """The titles, by id, of the sources that the caller may search. For a guest, there is only one."""
    link = caller.link
    return titles(db, caller.user_id) if link is None else {link.playlist_id: link.title}


def asked(db: Firestore, caller: Caller, wanted: Asked) -> tuple[Params, Placing | None]:
    """The search that a request asks for, and what the library says about its videos.

    Raises:
        BadRequest: the parameters do not fit together.
        NotFound: `new_in` is no saved search of the caller.
    """
    params = Params.of(wanted)
    if caller.link is not None:
        if params.new_in is not None:
            raise NotFound("There is no such saved search.")
        # When a video came into other sources of the library is not for a guest.
        source = replace(params, playlists=(caller.link.playlist_id,))
        placed = placing(db, caller.user_id, source)
        if placed is not None and is_collection(caller.link.playlist_id):
            # Nor when its owner put a video into a collection: that may be when the owner watched it.
            placed = Placing(placed.order)
        return params, placed
    if params.new_in is not None:
        params = replace(params, among=tuple(searches.read(db, caller.user_id, params.new_in).new))
    return params, placing(db, caller.user_id, params)
