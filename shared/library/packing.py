"""Many ids or times as one compressed field of a document. As a list, each would be an index entry."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime


def pack_ids(video_ids: Iterable[str]) -> bytes:
    """Ids of videos as one field of a document."""
    return zlib.compress(" ".join(video_ids).encode())


def unpack_ids(packed: bytes | None) -> tuple[str, ...]:
    """The inverse of :func:`pack_ids`. Nothing is no ids."""
    return tuple(zlib.decompress(packed).decode().split()) if packed else ()


def pack_times(times: Iterable[datetime | None]) -> bytes:
    """Whole seconds since 1970; 0 for what is not known."""
    return pack_ids(str(round(time.timestamp())) if time else "0" for time in times)


def unpack_times(packed: bytes | None) -> tuple[datetime | None, ...]:
    return tuple(
        datetime.fromtimestamp(int(each), UTC) if each != "0" else None for each in unpack_ids(packed)
    )
