"""The Pub/Sub messages: frozen dataclasses, encoded as UTF-8 JSON.

Unknown fields are ignored, so that fields can be added while old messages are on their way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from shared.errors import Malformed

#: Job ids are made by us (uuid4 hex). Ids are also names of Firestore documents, hence no "/", and not
#: what Firestore keeps for itself (https://firebase.google.com/docs/firestore/quotas): `__…__`.
_ID = re.compile(r"(?!__.*__\Z)[A-Za-z0-9_-]{1,128}")


def is_id(text: object) -> bool:
    """Whether it can be the id of a job or a video, and so be asked for in Firestore."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def _id_of(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not is_id(value):
        raise Malformed(f'expected "{name}" to be an id (letters, digits, - and _), found {value!r:.80}')
    return value


def _optional_id_of(fields: Mapping[str, Any], name: str) -> str | None:
    return None if fields.get(name) is None else _id_of(fields, name)


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages."""

    def encode(self) -> bytes:
        """UTF-8 JSON; fields that are None are left out."""
        return json.dumps({k: v for k, v in asdict(self).items() if v is not None}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of :meth:`encode`.

        Raises:
            Malformed: not UTF-8, not a JSON object, or a field is missing or of the wrong type.
        """
        try:
            fields = json.loads(data.decode("utf-8"))
        # ValueError: bad UTF-8, bad JSON, and whole numbers of more digits than Python reads.
        except (ValueError, RecursionError) as error:
            raise Malformed(f"expected UTF-8 JSON, found {data[:80]!r} ({error})") from error
        if not isinstance(fields, dict):
            raise Malformed(f"expected a JSON object, found {type(fields).__name__}")
        return cls.from_fields(fields)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class PlaylistMessage(Message):
    """On topic `playlists`: list this playlist. Without a job the planner makes one."""

    playlist_id: str
    job_id: str | None = None
    user_id: str | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            _id_of(fields, "playlist_id"),
            _optional_id_of(fields, "job_id"),
            _optional_id_of(fields, "user_id"),
        )


@dataclass(frozen=True, slots=True)
class VideoMessage(Message):
    """On topics `videos` (fetch it) and `transcripts` (index it).

    ``round`` counts how often the person asked to retry the video: what is left of an earlier
    round (a dead letter that comes late) must not settle the present one. Missing means 0.
    """

    job_id: str
    video_id: str
    round: int = 0

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        number = fields.get("round", 0)
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise Malformed(f'expected "round" to be a whole number from 0, found {number!r:.80}')
        return cls(_id_of(fields, "job_id"), _id_of(fields, "video_id"), number)
