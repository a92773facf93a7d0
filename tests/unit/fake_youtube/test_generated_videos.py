"""Videos and playlists that are generated from their id."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from itertools import pairwise

import pytest

from infra.local.fake_youtube.library import generate, vocabulary
from infra.local.fake_youtube.library.model import Line, Video


def videos(playlist_id: str) -> list[Video]:
    playlist = generate.playlist(playlist_id)
    assert playlist is not None
    found = [generate.video(video_id) for video_id in playlist.video_ids]
    return [video for video in found if video is not None]


def lines_of(video: Video) -> tuple[Line, ...]:
    return video.tracks[0].lines()


def test_ids_have_youtubes_form_and_differ() -> None:
    made = videos("PLgen-3000-a")
    assert len({video.id for video in made}) == 3_000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]", video.id) for video in made)
    assert len({video.title for video in made}) == 3_000


def test_id_always_means_the_same_video() -> None:
    # These values must not change, because local runs have stored libraries of such videos.
    assert generate.video_id("a", 0) == "bCp_ZRdgLAA"
    video = generate.video("bCp_ZRdgLAA")
    assert video is not None
    assert (video.title, video.published_at) == (
        "Croacasper shoobroplish and the vostreguck of glicuwush",
        "2010-08-16T05:56:43Z",
    )
    assert lines_of(video)[0] == Line(
        0.92, 4.441, "quielas steeck the it's there craikund I all babrand laiprut tretrosh"
    )
    assert generate.phrase_of("bCp_ZRdgLAA").start == 53.063


def test_playlists_of_one_seed_share_videos() -> None:
    short, long = generate.playlist("PLgen-30-same"), generate.playlist("PLgen-90-same")
    assert short is not None
    assert long is not None
    assert long.video_ids[:30] == short.video_ids
    other = generate.playlist("PLgen-30-other")
    assert other is not None
    assert not set(other.video_ids) & set(long.video_ids)


@pytest.mark.parametrize(
    "identifier", ["PLgen-", "PLgen-x-a", "PLgen-3", "PLgen-3-a-tall", "PLgen-1234567-a", "PLother"]
)
def test_other_playlist_ids_are_unknown(identifier: str) -> None:
    assert generate.playlist(identifier) is None


@pytest.mark.parametrize("identifier", ["AAAAAAAAAAA", "", "bCp_ZRdgLAE", "bCp_ZRdgLAA ", "dQw4w9WgXcQ"])
def test_other_video_ids_are_unknown(identifier: str) -> None:
    assert generate.video(identifier) is None
    with pytest.raises(ValueError, match="expected the id of a generated video"):
        generate.phrase_of(identifier)


def test_lengths_are_distributed_as_in_a_real_library() -> None:
    made = videos("PLgen-3000-a")
    timings = [generate._timing(video.id, False) for video in made]
    counts = [len(timing.starts_ms) for timing in timings]
    assert 150 < statistics.median(counts) < 230
    assert 1_600 < statistics.median([sum(timing.words) for timing in timings]) < 2_500
    assert max(counts) > 5_000
    assert statistics.mean(counts) > 2 * statistics.median(counts)


def test_lines_are_in_order_and_three_to_six_seconds_long() -> None:
    for video in videos("PLgen-40-lines"):
        lines = lines_of(video)
        assert all(3 <= line.duration <= 6 for line in lines)
        assert all(one.start + 2.999 <= two.start for one, two in pairwise(lines))
        end = lines[-1].start + lines[-1].duration
        assert end <= video.duration + 1 <= end + 10


def test_video_says_a_phrase_that_no_other_video_says() -> None:
    made = videos("PLgen-150-phrases-short")
    texts = {video.id: " ".join(line.text for line in lines_of(video)) for video in made}
    crossing = 0
    for video in made:
        phrase = generate.phrase_of(video.id)
        assert [one for one, text in texts.items() if phrase.text in text] == [video.id]
        assert texts[video.id].count(phrase.text) == 1
        lines = lines_of(video)
        (number,) = [k for k, line in enumerate(lines) if line.start == phrase.start]
        assert (phrase.text in lines[number].text) != phrase.crosses_line
        assert phrase.text in f"{lines[number].text} {lines[number + 1].text}"
        assert lines[number].text.rsplit(" ", 1)[-1] in phrase.text or not phrase.crosses_line
        crossing += phrase.crosses_line
    assert 50 < crossing < 100


def test_short_videos_have_twenty_lines() -> None:
    assert {len(lines_of(video)) for video in videos("PLgen-20-a-short")} == {20}


def test_mixed_playlist_has_videos_without_captions_or_unavailable() -> None:
    made = videos("PLgen-1000-a-short-mixed")
    counts = Counter(video.status for video in made)
    assert 750 < counts["ok"] < 850
    assert min(counts[name] for name in ("nocaptions", "private", "deleted", "unavailable")) > 5
    assert all(bool(video.tracks) == (video.status == "ok") for video in made)
    assert videos("PLgen-5-a-mixed-short") == videos("PLgen-5-a-short-mixed")


def test_a_fifth_of_the_videos_is_not_english() -> None:
    languages = Counter(video.language for video in videos("PLgen-2000-a-short"))
    assert 0.77 < languages["en"] / 2_000 < 0.83
    assert len(languages) == 5


def test_video_says_the_words_of_its_title() -> None:
    for video in videos("PLgen-10-topics"):
        text = " ".join(line.text for line in lines_of(video))
        assert all(text.count(topic) >= 1 for topic in generate.topics(video.id)[:1])
        assert generate.topics(video.id)[0].capitalize() in video.title


def test_word_frequencies_are_like_those_of_speech() -> None:
    counts = Counter(vocabulary.speech("frequencies", 200_000))
    ranked = [count for _, count in counts.most_common()]
    assert 0.04 < ranked[0] / 200_000 < 0.08
    assert 3 < ranked[9] / ranked[99] < 15
    assert len(ranked) > 4_000
