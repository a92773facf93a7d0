"""The Pub/Sub messages: frozen dataclasses, encoded as UTF-8 JSON.

Unknown fields are ignored, so that fields can be added while old messages are on their way.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from shared.errors import Malformed

#: Ids are also names of Firestore documents. So they have no "/", and not the form `__…__`, which Firestore
#: keeps for itself (https://firebase.google.com/docs/firestore/quotas).
_ID = r"(?!__.*__\Z)[A-Za-z0-9_-]{1,128}"
Id = Annotated[str, Meta(pattern=rf"^{_ID}\Z")]


def is_id(text: object) -> bool:
    """Whether the text can be the id of a job or a video, and so can be asked for in Firestore."""
    return isinstance(text, str) and re.fullmatch(_ID, text) is not None


@dataclass(frozen=True, slots=True)
class Message:
    """Base of all messages."""

    def encode(self) -> bytes:
        """UTF-8 JSON. Fields that are None are left out."""
        return json.dumps({name: value for name, value in asdict(self).items() if value is not None}).encode()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The inverse of :meth:`encode`.

        Raises:
            Malformed: not a JSON object in UTF-8, or a field is missing or of the wrong type.
        """
        try:
            return msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            names = ", ".join(f'"{each.name}"' for each in fields(cls))
            # The text that was found comes last, because a long reason is cut off.
            raise Malformed(
                f"expected a UTF-8 JSON object with {names} ({error}); found {data[:80]!r:.80}"
            ) from error


@dataclass(frozen=True, slots=True)
class PlaylistMessage(Message):
    """On topic `playlists`: list this playlist. Without a job the planner makes one."""

    playlist_id: Id
    job_id: Id | None = None
    user_id: Id | None = None


@dataclass(frozen=True, slots=True)
class VideoMessage(Message):
    """On topics `videos` (fetch it) and `transcripts` (index it).

    ``round`` counts how often a person retried the video. A late dead letter of an earlier round must not
    settle the present one. Missing means 0.
    """

    job_id: Id
    video_id: Id
    round: Annotated[int, Meta(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class PassagesMessage(Message):
    """On topic `passages`: make this video findable by meaning.

    ``anyway``: also while jobs run, because it has waited for long.
    """

    video_id: Id
    anyway: bool = False
