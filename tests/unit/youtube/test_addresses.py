"""Texts that a person may paste: ids, addresses, and texts that only look like them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest
from shared.youtube.addresses import WATCH_LATER, Named, classify, is_refused

ID = "PLFs4vir_WsTwEd-nJgVJCZPNL3HALHHpF"

GOOD = [
    ID,
    f"  {ID}\n",
    "LL",
    "WL",
    "UUBR8-60-B28hp2BmDPdntcQ",
    "UULFBR8-60-B28hp2BmDPdntcQ",
    "RDCLAK5uy_kmPRjHDECIcuVwnKsx2Ng7fyNgFKWNJFs",
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
    # Wrapped by a page, a mail, a shell or Markdown.
    f"https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2Fplaylist%3Flist%3D{ID}%26cbrd%3D1&gl=DE",
    f"https://consent.youtube.com/ml?gl=DE&continue=https://www.youtube.com/watch?v%3DdQw4w9WgXcQ%26list%3D{ID}",
    f"https://www.google.com/url?sa=t&q=https%3A%2F%2Fwww.youtube.com%2Fplaylist%3Flist%3D{ID}&usg=x",
    "https://accounts.google.com/ServiceLogin?service=youtube&continue=https%3A%2F%2Fwww.youtube.com%2Fsignin%3Fapp"
    f"%3Ddesktop%26next%3D%252Fplaylist%253Flist%253D{ID}&hl=en",
    f"https://www.youtube.com/attribution_link?a=x&u=%2Fwatch%3Fv%3DdQw4w9WgXcQ%26list%3D{ID}",
    f"https%3A%2F%2Fwww.youtube.com%2Fplaylist%3Flist%3D{ID}",
    f"https://www.youtube.com/playlist%3Flist%3D{ID}",
    f"https://www.youtube.com/playlist\\?list\\={ID}",
    f"https://www.youtube.com/watch\\?v\\=dQw4w9WgXcQ\\&list\\={ID}\\&index\\=2",
    f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&amp;list={ID}&amp;index=3",
    f"'https://www.youtube.com/playlist?list={ID}'",
    f'"https://www.youtube.com/playlist?list={ID}"',
    f"“https://www.youtube.com/playlist?list={ID}”",
    f"<https://www.youtube.com/playlist?list={ID}>",
    f"`https://www.youtube.com/playlist?list={ID}`",
    f"(https://www.youtube.com/playlist?list={ID})",
    f"(see https://www.youtube.com/playlist?list={ID})"[5:],
    f"https://www.youtube.com/playlist?list={ID}.",
    f"https://www.youtube.com/playlist?list={ID},",
    f"**https://www.youtube.com/playlist?list={ID}**!",
    f"[My talks (2024)](https://www.youtube.com/playlist?list={ID})",
    f"[talks](<https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={ID}> 'title').",
    f"\u200bhttps://www.youtube.com/playlist?list={ID}\ufeff",
    f"https://studio.youtube.com/playlist/{ID}/videos",
    f"https://music.youtube.com/browse/VL{ID}",
    # Something behind the id.
    f"https://www.youtube.com/playlist?list={ID}/",
    f"https://www.youtube.com/playlist?list={ID}?si=AbC",
    f"https://youtu.be/dQw4w9WgXcQ?list={ID}%22",
    f"https://www.youtube.com/playlist?list={ID}%20",
    f"https://www.youtube.com/playlist?list={ID}%3E&x=1",
    f"https://www.youtube.com/playlist?list={ID}%0A",
    f"https://www.youtube.com/playlist?list={ID}’s",
    f"https://www.youtube.com/playlist?list={ID}\\n",
    f"https://www.youtube.com/playlist?list={ID}\\r\\n",
    # Something around the address.
    f"My list https://www.youtube.com/playlist?list={ID}",
    f"Schau mal:\nhttps://youtube.com/playlist?list={ID}&si=x\nGruß",
    f"talks (www.youtube.com/playlist?list={ID}), https://example.com/",
    f'<iframe width="5" src="https://www.youtube.com/embed/videoseries?si=x&amp;list={ID}" a="x"></iframe>',
    f'<iframe src="//www.youtube-nocookie.com/embed/dQw4w9WgXcQ?list={ID}"></iframe>',
    f"<a href='https://www.youtube.com/watch?v=dQw4w9WgXcQ&amp;list={ID}&amp;index=1'>talks</a>",
    f'{{"url": "https://www.youtube.com/watch?v=dQw4w9WgXcQ\\u0026list={ID}\\u0026index=1"}}',
    f"https://www.youtube.com/watch?v=dQw4w9WgXcQ\\u0026list={ID}",
    f"https://www.youtube.com/watch\\x3fv\\x3ddQw4w9WgXcQ\\x26list\\x3d{ID}",
    f"（https://www.youtube.com/playlist?list={ID}）",
    f"「https://www.youtube.com/playlist?list={ID}」。",
    f"看（https://www.youtube.com/playlist?list={ID}）吧",
    f"_https://www.youtube.com/playlist?list={ID}_",
    f"&lt;https://www.youtube.com/playlist?list={ID}&gt;",
    f"~~https://www.youtube.com/playlist?list={ID}~~",
    # A part of an address, and other addresses.
    f"?list={ID}",
    f"?v=dQw4w9WgXcQ&list={ID}",
    f"&list={ID}&index=2",
    f"/playlist?list={ID}",
    f"watch?v=dQw4w9WgXcQ&list={ID}",
    f"https://www.youtube.com./playlist?list={ID}",
    f"https://m.youtube.com/#/playlist?list={ID}",
    f"https://youtu.be/dQw4w9WgXcQ&list={ID}",
    f"https://www.youtube.com/feeds/videos.xml?playlist_id={ID}",
    f"https://www.youtube.com/view_play_list?p={ID}",
    f"https://www.youtube.com/playlist?list=VL{ID}",
]

#: What else is understood as the id of a playlist.
SAME = {
    f"VL{ID}": ID,
    f"MPSP{ID}": ID,
    "VLOLAK5uy_kXRpVSZ7a4HLgKH6fIPGFGnAXIyJGHvTE": "OLAK5uy_kXRpVSZ7a4HLgKH6fIPGFGnAXIyJGHvTE",
    "VLLL": "LL",
    f"'{ID}'": ID,
    f"{ID}.": ID,
    "PL_abc-def_ghi-": "PL_abc-def_ghi-",
    # A channel is its uploads.
    "UCBR8-60-B28hp2BmDPdntcQ": "UUBR8-60-B28hp2BmDPdntcQ",
    "https://www.youtube.com/channel/UCBR8-60-B28hp2BmDPdntcQ": "UUBR8-60-B28hp2BmDPdntcQ",
    "https://www.youtube.com/channel/UCBR8-60-B28hp2BmDPdntcQ/videos?view=0": "UUBR8-60-B28hp2BmDPdntcQ",
    "youtube.com/feeds/videos.xml?channel_id=UCBR8-60-B28hp2BmDPdntcQ": "UUBR8-60-B28hp2BmDPdntcQ",
    "music.youtube.com/channel/UCBR8-60-B28hp2BmDPdntcQ": "UUBR8-60-B28hp2BmDPdntcQ",
}

#: What is refused, and a part of what the person reads.
SAID = {
    "RDdQw4w9WgXcQ": "This is a mix",
    "RDMM": "This is a mix",
    "RDAMVMdQw4w9WgXcQ": "This is a mix",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=RDdQw4w9WgXcQ&start_radio=1": "playlist of your own",
    "ULdQw4w9WgXcQ": "This is a mix",
    "TLPQMjkxMTIwMjYabcdefghijk": "This is a queue",
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=TLGGabcdefghijkMjkxMTIwMjY": "Save it as a playlist",
    "HELLO": "found 'HELLO', which is no playlist id",
    "PLEASE": "no playlist id",
    "PLAYLIST": "no playlist id",
    "Hello": "no playlist id",
    "XXabcdefghijklmnop": "no playlist id",
    "MPREb_abcdefghijk": "no playlist id",
    "https://www.youtube.com/playlist": "put the address in quotes",
    "https://www.youtube.com/": "names no playlist",
    "https://www.youtube.com/playlist?list=": "names no playlist",
    f"https://www.youtube.com/playlist?List={ID}": "names no playlist",
    "https://consent.youtube.com/m?continue=https%3A%2F%2Fwww.youtube.com%2F&gl=DE": "names no playlist",
    "https://www.google.com/url?q=https%3A%2F%2Fwww.example.com%2F%3Flist%3DPLx": "which is none of these",
}

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
    "not a playlist",
    f"{ID} {ID}",
    f"{ID}\nPLother",
    "PL" + "x" * 79,
    "x" * 1_000_000,
    "https://www.youtube.com/playlist?list=" + "P" * 3_000,
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
    f"http://[::1]/playlist?list={ID}",
    f"http://[youtube.com/playlist?list={ID}",
    f"http://127.0.0.1/playlist?list={ID}",
    f"//www.youtube.com/playlist?list={ID}",
    f"list={ID}",
    "?list=",
    f"?v={ID}",
    "PL",
    "UU",
    "UC",
    "FL",
    "OLAK5uy_",
    "UCshort",
    "SPam",
    "UUid1",
    f"https://www.youtube.com/playlist?list={ID} https://www.youtube.com/playlist?list=PLanother",
    f"see evil.example/www.youtube.com/playlist?list={ID}",
    f"my list https://evilyoutube.com/playlist?list={ID}",
    "https://www.youtube.com/playlist?list=PL/x",
    "https://www.youtube.com/playlist?list=PLrAXtmErZgOeiKm4=\nsgNOknGvNj",
    "ПЛ123",
    "ＰＬ123",
    "PL١٢٣é",
    "\ud800",
    "\x00",
    "🎵" * 40,
]


@pytest.mark.parametrize("text", GOOD, ids=lambda text: text.strip()[:70])
def test_a_playlist_is_reduced_to_its_id(text: str) -> None:
    found = classify(text)
    assert (found.kind == "channel") is text.startswith("UUBR8")
    assert found.playlist_id == (ID if ID in text.replace("%50", "P") else text.strip())


@pytest.mark.parametrize("text", SAME)
def test_a_playlist_has_several_names(text: str) -> None:
    assert classify(text).playlist_id == SAME[text]


@pytest.mark.parametrize("text", SAID)
def test_a_person_reads_what_it_is_and_what_to_do(text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        classify(text)
    assert SAID[text] in str(raised.value)
    # An address with a list in it is never said to have none.
    assert "list=" not in text or "has no list=" not in str(raised.value)


@pytest.mark.parametrize("text", BAD, ids=lambda text: ascii(text)[:70])
def test_any_other_text_is_a_bad_request(text: object) -> None:
    with pytest.raises(BadRequest) as raised:
        classify(text)
    message = str(raised.value)
    expected = ("Expected a playlist, a channel or a video: ", "This address names no playlist.")
    assert message.startswith(expected)
    assert message.endswith(".")
    # The message repeats only a short part of the text, and can always be encoded.
    assert len(message.encode()) < 800


def test_only_the_id_of_an_address_is_kept() -> None:
    assert classify(f"https://u:hunter2@www.youtube.com/watch?list={ID}&v=<b>#x") == Named("playlist", ID)


@given(st.text() | st.from_regex(r"https?://[a-z.]{0,20}youtube\.com/.{0,40}list=.{0,60}"))
def test_any_text_gives_an_id_or_a_bad_request(text: str) -> None:
    try:
        named = classify(text)
    except BadRequest as error:
        message = str(error)
    else:
        found = named.id
        if named.kind == "handle":
            return
        assert found.isascii()
        assert 2 <= len(found) <= 100
        assert set(found) <= set(".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
        return
    assert message


@pytest.mark.parametrize("playlist_id", ["WL", "HL"])
def test_watch_later_and_the_history_are_known(playlist_id: str) -> None:
    assert is_refused(playlist_id)
    assert not is_refused(ID)
    assert "Watch Later" in WATCH_LATER
