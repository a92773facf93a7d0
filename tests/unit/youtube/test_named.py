"""What a text names: a video or a channel, and what is said of what cannot be taken."""

from __future__ import annotations

import pytest

from shared.errors import BadRequest
from shared.youtube.addresses import Named, classify, split

ID = "PLFs4vir_WsTwEd-nJgVJCZPNL3HALHHpF"
VIDEO = Named("video", "dQw4w9WgXcQ")
CHANNEL = "UCBR8-60-B28hp2BmDPdntcQ"
NAMED = {
    # Videos, in all forms of their address.
    "dQw4w9WgXcQ": VIDEO,
    " dQw4w9WgXcQ ": VIDEO,
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ": VIDEO,
    "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=43s&pp=ygU": VIDEO,
    "https://www.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ#comments": VIDEO,
    "https://m.youtube.com/watch?v=dQw4w9WgXcQ": VIDEO,
    "https://music.youtube.com/watch?v=dQw4w9WgXcQ&si=x": VIDEO,
    "https://youtu.be/dQw4w9WgXcQ": VIDEO,
    "https://youtu.be/dQw4w9WgXcQ?si=AbC&t=40": VIDEO,
    "youtu.be/dQw4w9WgXcQ": VIDEO,
    "https://www.youtube.com/shorts/dQw4w9WgXcQ?feature=share": VIDEO,
    "https://www.youtube.com/live/dQw4w9WgXcQ": VIDEO,
    "https://www.youtube.com/embed/dQw4w9WgXcQ?start=3": VIDEO,
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ": VIDEO,
    "https://www.youtube.com/v/dQw4w9WgXcQ": VIDEO,
    "see https://youtu.be/dQw4w9WgXcQ, it is good": VIDEO,
    "https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3DdQw4w9WgXcQ": VIDEO,
    "https://www.youtube.com/watch\\?v\\=dQw4w9WgXcQ": VIDEO,
    "<https://youtu.be/dQw4w9WgXcQ>": VIDEO,
    "[A talk](https://youtu.be/dQw4w9WgXcQ)": VIDEO,
    # Of an address with both, the playlist.
    f"https://www.youtube.com/watch?v=dQw4w9WgXcQ&list={ID}": Named("playlist", ID),
    # Channels.
    CHANNEL: Named("channel", CHANNEL),
    f"https://www.youtube.com/channel/{CHANNEL}": Named("channel", CHANNEL),
    f"https://www.youtube.com/channel/{CHANNEL}/shorts": Named("channel", CHANNEL, "shorts"),
    f"https://www.youtube.com/channel/{CHANNEL}/videos?view=0": Named("channel", CHANNEL, "videos"),
    f"https://www.youtube.com/embed/live_stream?channel={CHANNEL}": Named("channel", CHANNEL),
    "@someone": Named("handle", "someone"),
    "@some.one-2_3": Named("handle", "some.one-2_3"),
    "@someone/videos": Named("handle", "someone", "videos"),
    "https://www.youtube.com/@someone": Named("handle", "someone"),
    "youtube.com/@someone/": Named("handle", "someone"),
    "https://www.youtube.com/@someone?si=x": Named("handle", "someone"),
    "https://www.youtube.com/@someone/videos": Named("handle", "someone", "videos"),
    "https://www.youtube.com/@someone/shorts": Named("handle", "someone", "shorts"),
    "https://www.youtube.com/@someone/streams": Named("handle", "someone", "streams"),
    "https://www.youtube.com/@someone/featured": Named("handle", "someone"),
    "https://www.youtube.com/@someone/playlists": Named("handle", "someone"),
    "https://www.youtube.com/@someone/about": Named("handle", "someone"),
    "https://www.youtube.com/@%E3%82%86%E3%82%8B": Named("handle", "ゆる"),
    "https://www.youtube.com/@ゆる/videos": Named("handle", "ゆる", "videos"),
    "@हिन्दी": Named("handle", "हिन्दी"),
    "@Zoe\u0308": Named("handle", "Zo\u00eb"),
    "https://m.youtube.com/user/someone/videos": Named("user", "someone", "videos"),
    "youtube.com/user/some_one": Named("user", "some_one"),
}
#: What cannot be taken, and a part of what the person reads.
REFUSED = {
    "https://www.youtube.com/c/SomeOne": "which channel is called 'SomeOne'",
    "youtube.com/c/SomeOne/videos": "begins with @",
    "https://www.youtube.com/SomeOne": "which channel is called 'SomeOne'",
    "https://www.youtube.com/clip/UgkxAbCdEfGhIjKlMnOpQrStUvWxYz": "This is a clip",
    "https://www.youtube.com/post/UgkxAbC": "This is a post",
    "https://www.youtube.com/results?search_query=x": "a search at YouTube",
    "https://www.youtube.com/hashtag/x": "a search at YouTube",
    "https://www.youtube.com/feed/history": "Google Takeout",
    "https://www.youtube.com/feed/subscriptions": "after you sign in",
    "https://www.youtube.com/watch?v=short": "names no video",
    "https://www.youtube.com/watch": "names no video",
    "https://youtu.be/": "names no video",
    "https://vimeo.com/76979871": "none of these",
    "https://evilyoutube.com/watch?v=dQw4w9WgXcQ": "none of these",
    "https://www.tiktok.com/@someone": "none of these",
    "programming": "no playlist id",
    "Programming": "no playlist id",
    "@": "none of these",
    "@a b": "none of these",
    "@<script>": "none of these",
    "@a\x00b": "none of these",
    "https://www.youtube.com/@": "names no playlist",
    "https://youtu.be/dQw4w9WgXcQ https://youtu.be/9bZkp7q19f0": "found 2 of them",
}


@pytest.mark.parametrize("text", NAMED)
def test_a_text_names_a_video_or_a_channel(text: str) -> None:
    assert classify(text) == NAMED[text]


@pytest.mark.parametrize("text", REFUSED, ids=ascii)
def test_what_cannot_be_taken_is_said_with_what_to_do(text: str) -> None:
    with pytest.raises(BadRequest) as raised:
        classify(text)
    assert REFUSED[text] in str(raised.value)


def test_mixed_lines_are_taken_apart() -> None:
    pasted = f"""
      @someone
    {ID}, dQw4w9WgXcQ;{CHANNEL}
    My talk https://youtu.be/dQw4w9WgXcQ (see https://www.youtube.com/@someone/videos)
    just words, and more
    """
    assert split(pasted) == [
        "@someone",
        ID,
        "dQw4w9WgXcQ",
        CHANNEL,
        "https://youtu.be/dQw4w9WgXcQ",
        "https://www.youtube.com/@someone/videos)",
        "just words, and more",
    ]
    assert split(" \n\r\n\t") == []
