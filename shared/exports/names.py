"""File names of videos that every system takes, and that are never the same for two videos."""

from __future__ import annotations

import re
import unicodedata

#: What Windows forbids in a name, and what ends the name in a link of Obsidian
#: (https://learn.microsoft.com/windows/win32/fileio/naming-a-file, https://help.obsidian.md/links).
_FORBIDDEN = re.compile(r'[\\/:*?"<>|#^\[\]]+')
#: Windows takes a name for a device if the part before the first dot is one of these.
_DEVICE = re.compile(r"(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(?:COM|LPT)[0-9¹²³]) *(?:\.|\Z)", re.IGNORECASE)
#: Bytes of a title. With the id and the endings, the name stays below the 255 bytes of most file systems, and
#: below the 143 of encrypted ones.
_LONGEST = 110
#: They join the characters around them, and are nothing at the end of a name.
_JOINERS = "\u200d\ufe0e\ufe0f"


def file_name(title: str, video_id: str, ending: str) -> str:
    """``How tides work (hNi6jQj9BOA).md``. ``ending``: with its dot.

    The id makes the name unique and says which video it is, whatever the title has become meanwhile.
    """
    text = unicodedata.normalize("NFC", _FORBIDDEN.sub(" ", title))
    # Invisible characters: a mark of direction could hide the ending. Joiners stay, because emoji need them.
    text = "".join(
        each for each in text if each in _JOINERS or each.isspace() or unicodedata.category(each)[0] != "C"
    )
    text = _cut(" ".join(text.split()).lstrip(". ")).rstrip(f". {_JOINERS}")
    if _DEVICE.match(text):
        text = f"_{text}"
    return f"{text or 'Untitled'} ({video_id}){ending}"


def _cut(text: str) -> str:
    """As much of it as :data:`_LONGEST` allows, up to the end of a character with its accents."""
    encoded = text.encode()
    if len(encoded) <= _LONGEST:
        return text
    kept = encoded[:_LONGEST].decode(errors="ignore")
    rest = text[len(kept) :]
    # Never only a part of what looks like one character.
    while kept and (unicodedata.combining(rest[0]) or rest[0] in _JOINERS or kept[-1] == "\u200d"):
        kept, rest = kept[:-1], text[len(kept) - 1 :]
    return kept
