"""Texts that a person may paste for a playlist: ids, addresses, and texts that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest
from shared.youtube.addresses import WATCH_LATER, is_refused, parse_playlist_id

ID = "PLFs4vir_WsTwEd-nJgVJCZPNL3HALHHpF"

GOOD = [
    ID,
    f"  {ID}\n",
    "LL",
    "WL",
    "UUBR8-60-B28hp2BmDPdntcQ",
    "RDdQw4w9WgXcQ",
    "OLAK5uy_kXRpVSZ7a4HLgKH6fIPGFGnAXIyJGHvTE",
    f"https://www.youtube.com/playlist?list={ID}",
    f"http://www.youtube.com/playlist?list={ID}",
    f"HTTPS://WWW.YOUTUBE.COM/playlist?list={ID}",
    f"https://youtube.com/playlist?list={ID}",
    f"https://m.youtube.com/playlist?list={ID}",
    f"https://music.youtube.com/playlist?list={ID}",
    f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={ID}",
    f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={ID}&index=4&t=17s",
    f"https://www.youtube.com/watch?list={ID}&v=dQw4w9WgXcQ",
    f"https://youtu.be/dQw4w9WgXcQ?list={ID}",
    f"https://youtu.be/dQw4w9WgXcQ?si=AbCdEf&list={ID}",
    f"https://www.youtube.com/embed/videoseries?list={ID}",
    f"https://www.youtube-nocookie.com/embed/videoseries?list={ID}",
    f"https://www.youtube.com/embed/dQw4w9WgXcQ?list={ID}&autoplay=1",
    f"https://www.youtube.com/shorts/dQw4w9WgXcQ?list={ID}",
    f"https://www.youtube.com/live/dQw4w9WgXcQ?list={ID}",
    f"https://www.youtube.com/playlist?list={ID}#top",
    f"https://www.youtube.com/playlist?list={ID}&list=PLother",
    f"https://www.youtube.com/playlist?app=desktop&list={ID}",
    f"https://www.youtube.com:443/playlist?list={ID}",
    f"https://someone:secret@www.youtube.com/playlist?list={ID}",
    f"www.youtube.com/playlist?list={ID}",
    f"youtube.com/playlist?list={ID}",
    f"youtube.com:443/playlist?list={ID}",
    f"m.youtube.com/watch?v=a&list={ID}",
    f"youtu.be/dQw4w9WgXcQ?list={ID}",
    f"www.youtube.com/playlist?list={ID}&next=https://example.com/",
    f"https://www.youtube.com/playlist?list=%50{ID[1:]}",
]

BAD = [
    "",
    "   ",
    None,
    7,
    True,
    [ID],
    {"list": ID},
    "PL/../x",
    "pl123",
    "P",
    "dQw4w9WgXcQ",
    "not a playlist",
    f"{ID} {ID}",
    f"{ID}\nPLother",
    "PL" + "x" * 79,
    "x" * 1_000_000,
    "https://www.youtube.com/playlist?list=" + "P" * 3_000,
    "https://www.youtube.com/",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
    "https://www.youtube.com/@someone/playlists",
    "https://www.youtube.com/playlist?list=",
    f"https://www.youtube.com/playlist?List={ID}",
    "https://www.youtube.com/playlist?list=../../jobs",
    "https://www.youtube.com/playlist?list=PL%2F..%2Fx",
    "https://www.youtube.com/playlist?list=PLabc%0APLdef",
    "https://www.youtube.com/playlist?list=PLabc%00",
    "https://www.youtube.com/playlist?list=%ff%fe",
    "https://www.youtube.com/playlist?list=<script>alert(1)</script>",
    f"https://www.youtube.com.evil.example/playlist?list={ID}",
    f"https://evilyoutube.com/playlist?list={ID}",
    f"https://youtube.com.evil.example/playlist?list={ID}",
    f"https://youtube.comm/playlist?list={ID}",
    f"https://evil.example/youtube.com/playlist?list={ID}",
    f"https://evil.example/?u=https://www.youtube.com/&list={ID}",
    f"https://evil.example#https://www.youtube.com/playlist?list={ID}",
    f"https://www.youtube.com@evil.example/playlist?list={ID}",
    f"https://www.youtube.com:443@evil.example/playlist?list={ID}",
    f"https://evil.example\\@www.youtube.com.evil.example/playlist?list={ID}",
    f"https://xn--yutube-wqf.com/playlist?list={ID}",
    f"https://yоutube.com/playlist?list={ID}",  # the o is Cyrillic
    f"https://ｙoutube.com/playlist?list={ID}",
    f"https://youtube。com/playlist?list={ID}",
    f"https://youtube.com℀.evil/playlist?list={ID}",
    f"javascript:alert(1)//www.youtube.com/playlist?list={ID}",
    f"javascript://www.youtube.com/playlist?list={ID}",
    f"data:text/html,www.youtube.com/?list={ID}",
    f"file:///etc/passwd?list={ID}",
    f"ftp://www.youtube.com/playlist?list={ID}",
    f"//www.youtube.com/playlist?list={ID}",
    f"http://[::1]/playlist?list={ID}",
    f"http://[youtube.com/playlist?list={ID}",
    f"http://127.0.0.1/playlist?list={ID}",
    f"?list={ID}",
    f"list={ID}",
    "ПЛ123",
    "ＰＬ123",
    "PL١٢٣é",
    "\ud800",
    "\x00",
    "🎵" * 40,
]


@pytest.mark.parametrize("text", GOOD, ids=lambda text: text.strip()[:70])
def test_a_playlist_is_reduced_to_its_id(text: str) -> None:
    found = parse_playlist_id(text)
    assert found == (text.strip() if "list=" not in text else ID)


@pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text)[:70])
def test_any_other_text_is_a_bad_request(text: object) -> None:
    with pytest.raises(BadRequest) as raised:
        parse_playlist_id(text)
    message = str(raised.value)
    assert message.startswith("Expected a playlist id such as PLx…, or a YouTube address with list= in it; ")
    assert message.endswith(".")
    # The message repeats only a short part of the text, and can always be encoded.
    assert len(message.encode()) < 800


def test_only_the_id_of_an_address_is_kept() -> None:
    assert parse_playlist_id(f"https://u:hunter2@www.youtube.com/watch?list={ID}&v=<b>#x") == ID


@given(st.text() | st.from_regex(r"https?://[a-z.]{0,20}youtube\.com/.{0,40}list=.{0,60}"))
def test_any_text_gives_an_id_or_a_bad_request(text: str) -> None:
    try:
        found = parse_playlist_id(text)
    except BadRequest as error:
        message = str(error)
    else:
        assert found.isascii()
        assert 2 <= len(found) <= 80
        assert set(found) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        return
    assert message


@pytest.mark.parametrize("playlist_id", ["WL", "HL"])
def test_watch_later_and_the_history_are_known(playlist_id: str) -> None:
    assert is_refused(playlist_id)
    assert not is_refused(ID)
    assert "Watch Later" in WATCH_LATER
