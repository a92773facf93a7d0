"""The player's answer, cut to the two members that the library reads of it.

Of 110 to 198 KB, nine tenths say where the streams are. Their thousands of members cost more to parse than
all else that is done with an answer. One that does not look as usual is left to the library as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import JSONDecoder

_DECODER = JSONDecoder()
#: What is read, and what it has if it is what it should be.
_READ = {"playabilityStatus": "status", "captions": "playerCaptionsTracklistRenderer"}
#: With the white space of JSON.
_COLON = re.compile("[ \t\r\n]*:[ \t\r\n]*")


def shortened(answer: bytes) -> bytes | None:
    """``playabilityStatus`` and ``captions``; None if they are not what is expected.

    That there are no captions is never told by their absence here: the answer may have been cut short.
    """
    members: dict[str, str] = {}
    try:
        text = answer.decode().strip()
        for name, start in _members(text):
            value, end = _DECODER.raw_decode(text, start)
            # Which is meant of two of one name, only a parser of the whole could tell.
            if name in members or not isinstance(value, dict) or _READ[name] not in value:
                return None
            members[name] = text[start:end]
    except (ValueError, RecursionError):
        return None
    if len(members) != len(_READ) or not (text.startswith("{") and text.endswith("}")):
        return None
    return ("{" + ",".join(f'"{name}":{value}' for name, value in members.items()) + "}").encode()


def _members(text: str) -> Iterator[tuple[str, int]]:
    """Name and beginning of the value of each member that has a name of those read, wherever it stands.

    By ``str.find``: a regular expression takes many times as long for a text of this size.
    """
    for name in _READ:
        quoted = f'"{name}"'
        place = text.find(quoted)
        while place >= 0:
            end = place + len(quoted)
            colon = _COLON.match(text, end)
            # Within a string, or a longer name, the quotes would be escaped.
            if colon and text[place - 1 : place] != "\\":
                yield name, colon.end()
            place = text.find(quoted, place + 1)
