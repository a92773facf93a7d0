"""Watch page, player and timedtext, as youtube-transcript-api asks them."""

from __future__ import annotations

import re
import urllib.error

import pytest
import requests
from youtube_transcript_api import (
    InvalidVideoId,
    TranscriptsDisabled,
    VideoUnavailable,
    VideoUnplayable,
    YouTubeRequestFailed,
)

from infra.local.fake_youtube.captions import timedtext
from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from tests.unit.fake_youtube.clients import LANGUAGES, TIMEOUT_SECONDS, Clients


def test_library_reads_every_line_of_a_generated_video(clients: Clients) -> None:
    for number in range(8):
        video_id = generate.video_id("captions", number)
        video = generate.video(video_id)
        assert video is not None
        (track,) = clients.transcripts().list(video_id)
        fetched = track.fetch()
        assert track.is_generated == video.tracks[0].generated
        assert track.language_code == video.language
        expected = [tuple(line) for line in video.tracks[0].lines()]
        assert [(line.start, line.duration, line.text) for line in fetched] == expected


def test_answers_have_the_sizes_of_youtubes(server: LiveServer, clients: Clients) -> None:
    for number in range(12):
        video_id = generate.video_id("sizes", number)
        clients.transcripts().list(video_id)
    endpoints = server.stats()["endpoints"]
    assert 225_000 < endpoints["watch"]["bytes"] / 12 < 250_000
    assert 21_000 < endpoints["player"]["bytes"] / 12 < 36_000
    plain = requests.get(
        f"{server.url}/watch?v={generate.video_id('sizes', 0)}",
        headers={"Accept-Encoding": "identity"},
        timeout=TIMEOUT_SECONDS,
    )
    assert 950_000 < len(plain.content) < 1_100_000


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_player_answer_has_the_same_size_compressed_or_not(server: LiveServer, encoding: str) -> None:
    key = server.control("settings")["innertube_key"]
    answer = requests.post(
        f"{server.url}/youtubei/v1/player?key={key}",
        json={"videoId": generate.video_id("sizes", 1), "context": {}},
        headers={"Accept-Encoding": encoding},
        timeout=TIMEOUT_SECONDS,
    )
    assert 110_000 <= len(answer.content) <= 198_000
    track = answer.json()["captions"]["playerCaptionsTracklistRenderer"]["captionTracks"][0]
    assert track["baseUrl"].startswith("https://www.youtube.com/api/timedtext?")


#: Caption lines with characters that HTML, XML or a terminal treats specially.
HOSTILE = [
    "<script>alert(1)</script> 3 < 4 & 5 > 4",
    'it\'s "quoted" &amp; &#39;escaped&#39; twice',
    "]]> <!-- --> <?xml?>",
    "‮right to left\u202c and \u200bzero width, 👩‍👩‍👧 and e\u0301",
    "a\x00b\x08c\x1fd\ufffee",
    "two\nlines",
]


def test_hostile_text_arrives_as_from_youtube(server: LiveServer, clients: Clients) -> None:
    lines = [[float(k), 1.5, text] for k, text in enumerate(HOSTILE)]
    title = '"><img src=x onerror=alert(1)>'
    video = {"id": "hostileVid0", "title": title, "tracks": [{"language": "en", "lines": lines}]}
    server.control("playlists", {"videos": [video]})
    fetched = clients.transcripts().fetch("hostileVid0")
    # The library removes tags, the server removes what XML cannot hold, and the rest is unchanged.
    expected = [re.sub("[\x00\x08\x1f\ufffe]", "", re.sub("<[^>]*>", "", text)) for text in HOSTILE]
    assert [line.text for line in fetched] == expected
    page = requests.get(f"{server.url}/watch?v=hostileVid0&t=3s", timeout=TIMEOUT_SECONDS).text
    assert "<img src=x" not in page


def test_video_with_tracks_of_several_languages_and_kinds(server: LiveServer, clients: Clients) -> None:
    tracks = [
        {"language": "de", "kind": "human", "lines": [[0, 3, "Guten Tag"]]},
        {"language": "en", "kind": "generated", "lines": [[0, 3, "good day"]]},
        {"language": "de", "kind": "generated", "lines": [[0, 3, "guten tag"]]},
    ]
    server.control("playlists", {"videos": [{"id": "languages00", "tracks": tracks}]})
    found = clients.transcripts().list("languages00")
    names = {(track.language, track.is_generated) for track in found}
    assert names == {("German", False), ("English (auto-generated)", True), ("German (auto-generated)", True)}
    assert found.find_transcript(["de"]).fetch()[0].text == "Guten Tag"
    assert found.find_generated_transcript(["de"]).fetch()[0].text == "guten tag"
    assert found.find_transcript(["en"]).translate("fr").fetch()[0].text == "[fr] good day"


def test_captions_can_be_added_and_replaced_later(server: LiveServer, clients: Clients) -> None:
    server.control("playlists", {"videos": [{"id": "laterVideo0", "title": "T", "status": "nocaptions"}]})
    with pytest.raises(TranscriptsDisabled):
        clients.transcripts().list("laterVideo0")
    server.control("playlists", {"videos": [{"id": "laterVideo0", "tracks": [{"lines": [[1, 2, "now"]]}]}]})
    assert [line.text for line in clients.transcripts().fetch("laterVideo0")] == ["now"]
    server.control("playlists", {"videos": [{"id": "laterVideo0", "tracks": [{"lines": [[1, 2, "then"]]}]}]})
    assert [line.text for line in clients.transcripts().fetch("laterVideo0")] == ["then"]
    assert server.control("videos/laterVideo0")["title"] == "T"


def test_video_with_sixty_thousand_lines(server: LiveServer, clients: Clients) -> None:
    lines = [[float(k), 3.0, f"line number {k} of very many, each with some words"] for k in range(60_000)]
    server.control("playlists", {"videos": [{"id": "largeVideo0", "tracks": [{"lines": lines}]}]})
    assert len(clients.transcripts().fetch("largeVideo0")) == 60_000


def test_unknown_video_is_unavailable(clients: Clients) -> None:
    with pytest.raises(VideoUnavailable):
        clients.transcripts().list("AAAAAAAAAAA")
    with pytest.raises(InvalidVideoId):
        clients.transcripts().list("https://www.youtube.com/watch?v=AAAAAAAAAAA")


def test_private_video_does_not_play(server: LiveServer, clients: Clients) -> None:
    server.control("playlists", {"videos": [{"id": "privateVid0", "status": "private"}]})
    with pytest.raises(VideoUnplayable) as error:
        clients.transcripts().list("privateVid0")
    assert error.value.reason == "Private video"


def test_player_refuses_an_old_key_until_the_client_reads_the_new_one(
    server: LiveServer, clients: Clients
) -> None:
    video_id = generate.video_id("keys", 0, "short")
    body = {"videoId": video_id, "context": {}}
    url = "https://www.youtube.com/youtubei/v1/player?key="
    old = server.control("settings")["innertube_key"]
    assert clients.session().post(url + old, json=body).status_code == 200
    server.control("settings", {"innertube_key": "another-key"})
    assert clients.session().post(url + old, json=body).status_code == 400
    assert len(clients.transcripts().list(video_id).find_transcript(LANGUAGES).fetch()) == 20


def test_prepared_captions_are_not_made_again(
    server: LiveServer, clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    video_id = generate.video_id("prepared", 0, "short")
    assert server.control("prepare", {"videos": [video_id]}) == {"prepared": 1}
    monkeypatch.delattr(timedtext, "document")
    lines = clients.transcripts().list(video_id).find_transcript(LANGUAGES).fetch()
    video = generate.video(video_id)
    assert video is not None
    assert [line.text for line in lines] == [line.text for line in video.tracks[0].lines()]
    with pytest.raises(urllib.error.HTTPError) as error:
        server.control("prepare", {"videos": ["nobody-knows"]})
    assert b"expected ids of known videos" in error.value.read()
    error.value.close()


def test_caption_url_with_a_wrong_signature_is_refused(server: LiveServer, clients: Clients) -> None:
    video_id = generate.video_id("signed", 0, "short")
    (track,) = clients.transcripts().list(video_id)
    track._url = re.sub("signature=[0-9A-F]+", "signature=0", track._url)
    with pytest.raises(YouTubeRequestFailed):
        track.fetch()
    track._url = re.sub("expire=[0-9]+", "expire=soon", track._url)
    with pytest.raises(YouTubeRequestFailed):
        track.fetch()


@pytest.mark.parametrize(
    ("time", "second"),
    [("83", 83), ("83s", 83), ("1m23s", 83), ("1h0m1s", 3601), ("", 0), ("soon", 0), ("-5", 0)],
)
def test_watch_page_shows_the_line_at_the_requested_time(server: LiveServer, time: str, second: int) -> None:
    video_id = generate.video_id("watch", 2)
    video = generate.video(video_id)
    assert video is not None
    page = requests.get(f"{server.url}/watch?v={video_id}&t={time}", timeout=TIMEOUT_SECONDS).text
    assert f"(second {second})" in page
    assert video.title in page
    spoken = [line for line in video.tracks[0].lines() if line.start < second + 1]
    if spoken and time:
        assert spoken[-1].text in page.replace("&#x27;", "'")
