"""The player's answer, cut to the two members that the library reads of it.

Of 110 to 198 KB, nine tenths say where the streams are. Their thousands of members cost more to parse than
all else that is done with an answer. One that does not look as usual is left to the library as it came.
"""

from __future__ import annotations

import re
from json import JSONDecodeError, JSONDecoder

_DECODER = JSONDecoder()
#: What is read, and what it has if it is what it should be.
_READ = {"playabilityStatus": "status", "captions": "playerCaptionsTracklistRenderer"}
#: Within a string the quotes would be escaped: what matches is the name of a member.
_MEMBER = re.compile(rf'"({"|".join(_READ)})"\s*:\s*')


def shortened(answer: bytes) -> bytes | None:
    """``playabilityStatus`` and, if there are any, ``captions``; None if they are not what is expected."""
    members: dict[str, str] = {}
    try:
        text = answer.decode().strip()
        for member in _MEMBER.finditer(text):
            name, start = member[1], member.end()
            value, end = _DECODER.raw_decode(text, start)
            # Which is meant of two of one name, only a parser of the whole could tell.
            if name in members or not isinstance(value, dict) or _READ[name] not in value:
                return None
            members[name] = text[start:end]
    except (UnicodeDecodeError, JSONDecodeError, RecursionError):
        return None
    if "playabilityStatus" not in members or not (text.startswith("{") and text.endswith("}")):
        return None
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()
