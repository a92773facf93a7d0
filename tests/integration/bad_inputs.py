"""Bad inputs, each with what must become of it. Only data: test_bad_input.py sends them."""

from __future__ import annotations

import base64
import json
import random
from typing import Any

# -- requests ----------------------------------------------------------------------------------------

_EXPECTED = "Expected a playlist"
_OBJECT = "JSON object"


def _playlist(value: object) -> bytes:
    return json.dumps({"playlist": value}).encode()


#: Bodies for POST /api/index that are answered with 400, and a part of the problem's detail.
BODIES: list[tuple[bytes, str]] = [
    (b"", _OBJECT),
    (b"{", _OBJECT),
    (b"\xff\xfe", _OBJECT),
    (b"\x00", _OBJECT),
    (b"[]", _OBJECT),
    (b"null", _OBJECT),
    (b"true", _OBJECT),
    (b"NaN", _OBJECT),
    (b"1e999", _OBJECT),
    (b"9" * 5000, _OBJECT),
    (b'"PLx"', _OBJECT),
    (b"playlist=PLx", _OBJECT),
    (b"<playlist>PLx</playlist>", _OBJECT),
    (b"[" * 50_000, _OBJECT),
    (b'{"playlist":' * 5_000, _OBJECT),
    (b'{"playlist": "PLx"} and more', _OBJECT),
    (b"{'playlist': 'PLx'}", _OBJECT),
    (b'{"playlist": "PL\xff"}', _OBJECT),
    (b"{}", _EXPECTED),
    (b'{"Playlist": "PLx"}', _EXPECTED),
    *(
        (_playlist(value), _EXPECTED)
        for value in (
            None, 7, 0.5, True, [], ["PLx"], {}, {"id": "PLx"}, "", "   ", "\n", "\x00", "PL\x00x", "PL x",
            "hello world", "x", "pl-small-letters", "P", "PL/../../secrets", "../../etc/passwd", "PLx'--",
            "PLx;drop", "PL%00", "PLé", "🎬", "PL🎬", "\u202ePLx", "PL\ud800", "PL" + "x" * 79,
            "PL" + "x" * 60_000,
            "https://example.com/playlist?list=PLx", "https://youtube.com.example.com/playlist?list=PLx",
            "https://youtube.com@example.com/?list=PLx", "https://notyoutube.com/?list=PLx",
            "javascript:alert(1)//youtube.com?list=PLx", "file:///etc/passwd?list=PLx",
            "data:text/html,youtube.com?list=PLx", "ftp://youtube.com/?list=PLx", "https://[::1/?list=PLx",
            "//youtube.com/?list=PLx", "http://", "https://?list=PLx",
            "https://127.0.0.1/?list=PLx", "list=PLx",
            "HELLO", "XX", "PLEASE", "programming",
        )
    ),
    (_playlist("https://www.youtube.com/watch?v=dQw4w9WgXcQ"), "names no playlist"),
    (_playlist("https://youtu.be/dQw4w9WgXcQ"), "names no playlist"),
    (_playlist("dQw4w9WgXcQ"), "This is one video"),
    (_playlist("https://www.youtube.com/@nobody-has-this"), "knows no channel"),
    (_playlist("https://www.youtube.com/c/somebody"), "which channel is called"),
    (_playlist("WL"), "Watch Later"),
    (_playlist("HL"), "Watch Later"),
    (_playlist("https://www.youtube.com/playlist?list=WL"), "Watch Later"),
    (_playlist("https://www.youtube.com/playlist?List=PLx"), "names no playlist"),
    (_playlist("https://www.youtube.com/playlist?list="), "names no playlist"),
    (_playlist("https://youtube.com:99999999/?list="), "names no playlist"),
    (_playlist("RDdQw4w9WgXcQ"), "a mix"),
    (_playlist("https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=TLPQabcdefghijk"), "a queue"),
    (_playlist("https://www.youtube.com/playlist?list=no spaces"), "no playlist id"),
    (_playlist("https://www.youtube.com/playlist?list=PL%00"), "no playlist id"),
    (_playlist("https://www.youtube.com/playlist?list=%F0%9F%8E%AC"), "no playlist id"),
    (_playlist("https://www.youtube.com/playlist?list=../x"), "no playlist id"),
]  # fmt: skip

#: Other requests: method, path, and the status of the answer.
REQUESTS: list[tuple[str, str, int]] = [
    ("GET", "/api/index", 405),
    ("PUT", "/api/index", 405),
    ("DELETE", "/api/index", 405),
    ("POST", "/api/index/more", 404),
    ("POST", "/api/jobs", 405),
    ("GET", "/api/jobs?limit=0", 400),
    ("GET", "/api/jobs?limit=-1", 400),
    ("GET", "/api/jobs?limit=101", 400),
    ("GET", "/api/jobs?limit=many", 400),
    ("GET", "/api/jobs?limit=%F0%9D%9F%99", 400),
    ("GET", "/api/jobs?limit=1e3", 400),
    ("GET", "/api/jobs?limit=007", 400),
    ("GET", "/api/jobs/nobodys", 404),
    ("GET", "/api/jobs/__reserved__", 404),
    ("GET", "/api/jobs/%00", 404),
    ("GET", "/api/jobs/..", 404),
    ("GET", "/api/jobs/a%2Fb", 404),
    ("GET", "/api/jobs/" + "x" * 2000, 404),
    ("GET", "/api/jobs/%F0%9F%8E%AC", 404),
    ("GET", "/api/jobs/%FF%FE", 404),
    ("GET", "/api/jobs/nobodys/videos", 404),
    ("POST", "/api/jobs/nobodys/retry", 404),
    ("POST", "/api/jobs/nobodys/cancel", 404),
    ("GET", "/api/jobs/nobodys/cancel", 405),
    ("GET", "/api/jobs/nobodys/elsewhere", 404),
    ("DELETE", "/api/playlists/PLnobody-has-this", 404),
    ("DELETE", "/api/playlists/a%20b", 404),
    ("DELETE", "/api/playlists/__x__", 404),
    ("DELETE", "/api/playlists/%00", 404),
    ("POST", "/api/playlists", 405),
    ("GET", "/api/videos/nobodys", 404),
    ("GET", "/api/videos/%00", 404),
    ("POST", "/api/clips", 400),
    ("PUT", "/api/clips", 405),
    ("GET", "/api/clips?limit=0", 400),
    ("GET", "/api/clips?limit=101", 400),
    ("GET", "/api/clips?limit=x", 400),
    ("GET", "/api/clips?cursor=x", 400),
    ("GET", "/api/clips?cursor=..", 400),
    ("GET", "/api/clips?q=" + "x" * 2001, 400),
    ("GET", "/api/clips?q=%00%FF&tag=%F0%9F%8E%AC&video=../x", 200),
    ("GET", "/api/clips/nobodys", 405),
    ("GET", "/api/clips/export?format=docx", 400),
    ("GET", "/api/clips/export?format=csv&q=%00", 200),
    ("POST", "/api/clips/export", 405),
    ("PATCH", "/api/clips/nobodys", 400),
    ("DELETE", "/api/clips/nobodys", 404),
    ("DELETE", "/api/clips/__x__", 404),
    ("DELETE", "/api/clips/%00", 404),
    ("DELETE", "/api/clips/" + "0" * 22, 404),
    ("GET", "/api/search?q=a&limit=0", 400),
    ("GET", "/api/search?q=a&limit=51", 400),
    ("GET", "/api/search?q=a&limit=x", 400),
    ("GET", "/api/search?q=a&cursor=x", 400),
    ("GET", "/api/search?q=a&sort=sideways", 400),
    ("GET", "/api/search?q=a&in=nowhere", 400),
    ("GET", "/api/search?q=a&after=yesterday", 400),
    ("GET", "/api/search?q=a&before=2024-13-01", 400),
    ("GET", "/api/search?q=a&min_minutes=x", 400),
    ("GET", "/api/search?q=%00", 200),
    ("GET", "/api/search?q=%22unclosed", 200),
    ("GET", "/api/search?q=%28%28%28%28", 200),
    ("GET", "/api/search?q=title%3A", 200),
    ("GET", "/api/search?q=after%3Anever", 200),
    ("GET", "/api/search?q=%2A", 200),
    ("GET", "/api/search?q=" + "a+" * 1500, 200),
    ("GET", "/api/search?q=%F0%9F%8E%AC", 200),
    ("GET", "/api/suggest?q=%00", 200),
    ("GET", "/api/search?q=a&new_in=nobodys", 404),
    ("GET", "/api/search?q=a&new_in=%00", 400),
    ("GET", "/api/searches/nobodys", 405),
    ("DELETE", "/api/searches/nobodys", 404),
    ("DELETE", "/api/searches/a%2Fb", 404),
    ("POST", "/api/searches/__x__/seen", 404),
    ("POST", "/api/searches/nobodys/feed", 404),
    ("POST", "/api/searches", 400),
    ("GET", "/api/feeds/nobodys.atom", 404),
    ("GET", "/api/feeds/%00.json", 404),
    ("GET", "/api/feeds/" + "x" * 2000 + ".atom", 404),
    ("GET", "/api/feeds", 404),
    ("POST", "/api/links", 400),
    ("DELETE", "/api/links/nobodys", 404),
    ("DELETE", "/api/links/%F0%9F%8E%AC", 404),
    ("GET", "/api/link", 404),
    ("GET", "/api/nothing/here", 404),
    ("GET", "/api/", 404),
]

# -- messages ----------------------------------------------------------------------------------------

_MISSING, _WRONG_TYPE, _WRONG_ID = "missing required field", "Expected `str`, got", "matching regex"
_NO_IDS: tuple[Any, ...] = (None, 7, True, [], {})
_WRONG_IDS: tuple[Any, ...] = (
    "",
    " ",
    "a/b",
    "a b",
    "..",
    "__x__",
    "é",
    "🎬",
    "\x00",
    "x" * 129,
)
_WRONG_ROUNDS: tuple[Any, ...] = (-1, 0.5, "1", True, [], 1e300)
#: Messages that no function can read, and a part of the reason with which each is recorded.
MESSAGES: list[tuple[bytes, str]] = [
    (b"not json", "JSON"),
    (b"\xff\xfe\x00", "UTF-8"),
    (b"\xef\xbb\xbf{}", "JSON"),
    (b"{", "JSON"),
    (b"[1, 2]", "JSON object"),
    (b'"text"', "JSON object"),
    (b"null", "JSON object"),
    (b"12", "JSON object"),
    (b"[" * 30_000, "JSON"),
    (b"{}", _MISSING),
    (b'{"unknown": "field"}', _MISSING),
    *(
        (json.dumps({"video_id": value, "playlist_id": value, "job_id": "bad-inputs"}).encode(), reason)
        for reason, values in ((_WRONG_TYPE, _NO_IDS), (_WRONG_ID, _WRONG_IDS))
        for value in values
    ),
]
#: The same for functions whose messages name a video.
ROUNDS: list[tuple[bytes, str]] = [
    (json.dumps({"job_id": "j", "video_id": "v", "round": value}).encode(), "at `$.round`")
    for value in _WRONG_ROUNDS
]
#: The member `message` of deliveries that do not have the form of Pub/Sub's.
DELIVERIES: list[Any] = [
    {"data": "%%% not base64 %%%"},
    {"data": 7},
    {"data": None},
    {"data": ""},
    {"data": []},
    {"attributes": {"only": "attributes"}},
    {"data": base64.b64encode(b"{}").decode(), "attributes": [1]},
    [],
    "text",
    None,
]

# -- videos ------------------------------------------------------------------------------------------


def _said(*texts: str, language: str = "en", start: float = 0.0, step: float = 4.0) -> list[dict[str, Any]]:
    lines = [[start + number * step, 3.0, text] for number, text in enumerate(texts)]
    return [{"language": language, "kind": "human", "lines": lines}]


#: Names of texts, and the texts.
_ODD = {
    "NUL": "before\x00after",
    "control characters": "".join(map(chr, range(1, 32))),
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🇺🇦" * 10,
    "right to left": "\u202eשלום\u202c مرحبا",
    "zero width": "\u200b\u200c\u200d\ufeff",
    "combining": "Z" + "\u0335" * 300,
    "private use": "\ue000marked\ue001",
    "outside the basic plane": "𝒳𐍈𠀀" * 20,
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "markup": "<script>alert(1)</script>&amp;]]>",
    "a query": '"}},{"match_all":{}}',
    "a path": "../../etc/passwd\r\nSet-Cookie: a=b",
    "a template": "{{7*7}}${7*7}%s%n",
    "a very long word": "a" * 40_000,
}

#: Odd videos by name: the fields of the video at YouTube, and the state that it must reach.
VIDEOS: dict[str, tuple[dict[str, Any], str]] = {
    **{
        f"title: {name}": ({"title": text, "tracks": _said("a word")}, "indexed")
        for name, text in _ODD.items()
    },
    **{
        f"description: {name}": ({"description": text, "tracks": _said("a word")}, "indexed")
        for name, text in _ODD.items()
    },
    **{
        f"channel: {name}": ({"channel": _ODD[name], "tracks": _said("a word")}, "indexed")
        for name in ("NUL", "emoji", "right to left", "markup", "a very long word")
    },
    **{
        f"caption: {name}": (
            {"tracks": _said("a word", text)},
            "indexed",
        )
        for name, text in _ODD.items()
        # Captions are XML, which cannot hold these characters.
        if name not in ("NUL", "control characters", "noncharacters")
    },
    "title: empty": ({"title": "", "tracks": _said("a word")}, "indexed"),
    "description: 10 MB": (
        {"description": random.Random(1).randbytes(5_000_000).hex(), "tracks": _said("a word")},
        "indexed",
    ),
    "description: as long as YouTube allows, in emoji": (
        {"description": "🎬" * 5_000, "tracks": _said("a word")},
        "indexed",
    ),
    "caption: one line of 300 KB": ({"tracks": _said("word " * 60_000)}, "indexed"),
    "caption: 12 hours": ({"tracks": _said(*(f"line {n} of many" for n in range(10_800)))}, "indexed"),
    "caption: too long to store": (
        # 1.1 MB of random digits, which cannot be compressed further.
        {"tracks": _said(*(f"{random.Random(n).getrandbits(512):0128x}" for n in range(18_000)))},
        "no_transcript",
    ),
    "caption: no tracks": ({"tracks": []}, "no_transcript"),
    "caption: a track without lines": ({"tracks": _said()}, "no_transcript"),
    "caption: only blanks": ({"tracks": _said(" ", "\n", "\t")}, "no_transcript"),
    "caption: times that run backwards": ({"tracks": _said("b word", "a word", start=9, step=-4)}, "indexed"),
    "caption: times before the beginning": ({"tracks": _said("a word", start=-5)}, "indexed"),
    "caption: times after thirty years": ({"tracks": _said("a word", start=1e9)}, "indexed"),
    "caption: all at once": ({"tracks": _said("a word", "b word", step=0)}, "indexed"),
    "language: unknown": ({"tracks": _said("a word", language="xx")}, "indexed"),
    "language: very long": ({"tracks": _said("a word", language="en-x-" + "y" * 40)}, "indexed"),
    "duration: none": ({"duration": 0, "tracks": _said("a word")}, "indexed"),
    "duration: a year": ({"duration": 31_536_000, "tracks": _said("a word")}, "indexed"),
    "views: as many as fit": ({"views": 10**18 - 1, "tracks": _said("a word")}, "indexed"),
    "views: more than fit": ({"views": 10**30, "tracks": _said("a word")}, "indexed"),
    "published: nonsense": ({"published_at": "yesterday", "tracks": _said("a word")}, "indexed"),
    "published: long ago": ({"published_at": "0001-01-01T00:00:00Z", "tracks": _said("a word")}, "indexed"),
    "status: private": ({"status": "private"}, "unavailable"),
    "status: deleted": ({"status": "deleted"}, "unavailable"),
    "status: for adults without a reason": (
        {"status": "age_restricted", "playability": "AGE_CHECK_REQUIRED", "reason": " "},
        "unavailable",
    ),
    "status: a reason of markup": (
        {"status": "members_only", "reason": "<b>members-only</b>" + "<b>no</b>" * 50},
        "unavailable",
    ),
}
#: Broken answers of YouTube, as kind of fault and endpoint. The next attempt succeeds. Refusals of an address
#: are in tests/faults/test_blocks.py.
ANSWERS: list[tuple[str, str]] = [
    *((kind, endpoint) for endpoint in ("player", "timedtext")
      for kind in ("empty", "truncated", "garbage", "cut", "reset", "5xx")),
    ("po_token", "player"),
]  # fmt: skip
#: Playlists that cannot be indexed, and a part of the job's error.
PLAYLISTS: list[tuple[str, str]] = [
    ("PLnobody-knows-this", "knows no playlist"),
    ("PLother-evenings", "knows no playlist"),
    ("PLempty", "is empty"),
    ("UCnobody-knows-this-one", "knows no playlist"),
    ("PL" + "x" * 78, "knows no playlist"),
    ("PL_-_-_", "knows no playlist"),
]


def count() -> int:
    """The number of inputs that are sent."""
    return (
        len(BODIES)
        + len(REQUESTS)
        + 3 * len(MESSAGES)
        + 2 * len(ROUNDS)
        + 4 * len(DELIVERIES)
        + len(VIDEOS)
        + len(ANSWERS)
        + len(PLAYLISTS)
    )
