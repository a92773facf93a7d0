"""Which captions a fetch brings: the choice among real answers, and what happens if a track cannot be had."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed, Refused
from shared.transcripts.videos import Metadata
from tests.unit.stopped_clock import StoppedClock
from tests.unit.youtube.support import Process, requests_of

VIDEO = "whichtracks"


def define(server: LiveServer, *tracks: str, faults: dict[str, str] | None = None, **video: Any) -> str:
    """A video with tracks such as `en`, `en*` (generated) or `en=A name`. Each says its own description.

    ``faults``: of tracks. ``video``: further fields.
    """
    described = []
    for each in tracks:
        code, _, name = each.partition("=")
        kind = "generated" if code.endswith("*") else "human"
        fields = {"language": code.rstrip("*"), "kind": kind, "lines": [[0.0, 1.0, f"said in {each}"]]}
        if name:
            fields["name"] = name
        if faults and each in faults:
            fields["fault"] = faults[each]
        described.append(fields)
    server.control("playlists", {"videos": [{"id": VIDEO, "tracks": described, **video}]})
    return VIDEO


def about(*, listed: bool = True, audio_language: str | None = None) -> Metadata:
    now = datetime(2024, 1, 1, tzinfo=UTC)
    return Metadata(VIDEO, "", "", "", "", None, None, None, None, now, listed, audio_language)


def define_texts(server: LiveServer, *tracks: tuple[str, str, str], **video: Any) -> str:
    """A video with tracks of a language, a kind and a text."""
    described = [{"language": code, "kind": kind, "lines": [[0.0, 1.0, text]]} for code, kind, text in tracks]
    server.control("playlists", {"videos": [{"id": VIDEO, "tracks": described, **video}]})
    return VIDEO


def said(answer: Any) -> str:
    assert answer.transcript is not None, answer
    return str(answer.transcript.lines.texts[0].removeprefix("said in "))


DUBBED = [{"id": "de.3", "captions": [1]}, {"id": "en.4", "captions": [0, 1, 2], "default": 2}]


@pytest.mark.parametrize("partial", [True, False])
def test_the_language_that_is_spoken_is_fetched(partial: bool, youtube: LiveServer) -> None:
    with Process(youtube.url, partial=partial) as process:
        assert said(process.fetch(define(youtube, "ar", "en", "en*"))) == "en"
        assert said(process.fetch(define(youtube, "en", "ja*"))) == "ja*"
        dubbed = define(youtube, "ar*", "de*", "en*", audio_tracks=DUBBED, default_audio_track=1)
        found = process.fetch(dubbed).transcript
        assert found is not None
        assert (found.language, found.choice) == ("en", "audio_track")
        # Without audio tracks, the uploader's word counts.
        plain = define(youtube, "ar*", "de*", "en*")
        assert said(process.fetch(plain, about=about(audio_language="de"))) == "de*"
        assert said(process.fetch(plain)) == "ar*"


def test_of_two_tracks_of_one_language_the_usual_one_is_fetched(
    youtube: LiveServer, process: Process
) -> None:
    assert said(process.fetch(define(youtube, "en=English", "en=English - Commentary"))) == "en=English"
    assert said(process.fetch(define(youtube, "en=Director", "en"))) == "en"
    assert said(process.fetch(define(youtube, "en=Director", "en=Producer"))) == "en=Director"


def test_a_random_suffix_is_not_stored(youtube: LiveServer, process: Process) -> None:
    found = process.transcript(define(youtube, "en-ehkg1hFWq8A=English"))
    assert (found.language, found.language_name, len(found.lines)) == ("en", "English", 1)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("po_token", "proof of origin"),
        ("empty", "or broken"),
        ("broken", "or broken"),
        ("missing", "HTTP 404"),
    ],
)
def test_the_next_best_track_is_fetched_and_the_reason_is_told(
    fault: str, says: str, youtube: LiveServer, process: Process
) -> None:
    answer = process.fetch(define(youtube, "ar", "en", "en*", faults={"en": fault}))
    assert said(answer) == "en*"
    assert says in answer.reason
    assert answer.reason.endswith(".")
    assert requests_of(youtube)["player"] == 1


def test_a_track_without_words_is_passed_over(youtube: LiveServer, process: Process) -> None:
    empty = {"language": "en", "kind": "human", "lines": [[0.0, 1.0, " "]]}
    spoken = {"language": "en", "kind": "generated", "lines": [[0.0, 1.0, "said in en*"]]}
    youtube.control("playlists", {"videos": [{"id": VIDEO, "tracks": [empty, spoken]}]})
    answer = process.fetch(VIDEO)
    assert (said(answer), "English (empty)" in answer.reason) == ("en*", True)


@pytest.mark.parametrize("fault", [None, "empty", "broken", "missing"])
def test_the_generated_track_is_asked_for_though_three_human_ones_are_empty(
    fault: str | None, youtube: LiveServer, process: Process
) -> None:
    human = ("en", "en-GB", "en-US", "en-CA")
    if fault is None:
        blank = [(code, "human", " ") for code in human]
        define_texts(youtube, ("ar", "human", "said in ar"), *blank, ("en", "generated", "said in en*"))
    else:
        define(youtube, "ar", *human, "en*", faults=dict.fromkeys(human, fault))
    answer = process.fetch(VIDEO)
    assert (said(answer), answer.is_stopgap) == ("en*", False)


@pytest.mark.parametrize("count", [1, 10, 11, 30])
def test_captions_are_called_empty_only_if_all_were_asked_for(
    count: int, youtube: LiveServer, process: Process
) -> None:
    codes = [f"{first}{second}" for first in "abc" for second in "abcdefghij"][:count]
    found = process.result(define_texts(youtube, *((code, "human", " ") for code in codes)))
    if count <= 10:
        assert not isinstance(found, Exception)
        assert (found.kind, found.reason) == ("no_transcript", "The video's captions are empty.")
    else:
        assert isinstance(found, AttemptFailed)
        assert f"10 of {count} tracks" in str(found)
    assert requests_of(youtube)["timedtext"] <= 10


def test_two_tracks_may_fail(youtube: LiveServer, process: Process) -> None:
    faults = {"en": "po_token", "en*": "empty"}
    answer = process.fetch(define(youtube, "ar", "en", "en*", faults=faults))
    assert said(answer) == "ar"
    assert "English (YouTube asks" in answer.reason
    assert "English (auto-generated) (" in answer.reason
    assert answer.is_stopgap
    assert not process.fetch(define(youtube, "en-GB", "en-US*", faults={"en-GB": "empty"})).is_stopgap
    assert not process.fetch(define(youtube, "ar", "en")).is_stopgap


def test_if_no_track_can_be_had_the_best_one_decides(youtube: LiveServer, process: Process) -> None:
    tracks = ("ar", "en", "en*", "fr", "ja")
    error = process.result(
        define(youtube, *tracks, faults=dict.fromkeys(tracks, "empty") | {"en": "po_token"})
    )
    assert isinstance(error, AttemptFailed)
    assert "proof of origin" in str(error)
    # The attempt is bounded.
    assert requests_of(youtube)["timedtext"] == 3
    everywhere = process.result(define(youtube, *tracks, faults=dict.fromkeys(tracks, "po_token")))
    assert isinstance(everywhere, AttemptFailed)


def test_an_error_that_passes_is_not_answered_with_a_worse_track(
    youtube: LiveServer, process: Process
) -> None:
    define(youtube, "en", "en*")
    youtube.control("faults", {"kind": "5xx", "endpoints": ["timedtext"], "total": 1})
    assert isinstance(process.result(VIDEO), AttemptFailed)
    assert said(process.fetch(VIDEO)) == "en"
    youtube.control("faults", {"kind": "429", "endpoints": ["timedtext"], "total": 1})
    assert isinstance(process.result(VIDEO), Refused)


@pytest.mark.parametrize(
    "fault", [{"kind": "5xx"}, {"kind": "5xx", "status": 408}, {"kind": "reset"}, {"kind": "cut"}]
)
def test_at_the_last_attempt_the_next_best_track_is_taken_whatever_the_best_one_fails_with(
    fault: dict[str, Any], youtube: LiveServer, process: Process
) -> None:
    define(youtube, "en", "en*")
    youtube.control("faults", {**fault, "endpoints": ["timedtext"], "total": 1})
    assert isinstance(process.result(VIDEO), AttemptFailed)
    youtube.control("faults", {**fault, "endpoints": ["timedtext"], "total": 1})
    assert said(process.fetch(VIDEO, last=True)) == "en*"
    youtube.control("faults", {"kind": "429", "endpoints": ["timedtext"], "total": 1})
    with pytest.raises(Refused):
        process.fetch(VIDEO, last=True)


def test_sparse_words_about_a_video_that_videos_list_describes_are_not_believed(
    youtube: LiveServer, process: Process
) -> None:
    define(youtube, "en")
    youtube.control("faults", {"kind": "unavailable", "endpoints": ["player"]})
    refused = process.result(VIDEO, about())
    assert isinstance(refused, Refused)
    assert (refused.weak, refused.unknown) == (True, True)
    assert "This video is unavailable" in str(refused)
    gone = process.result(VIDEO, about(listed=False))
    assert not isinstance(gone, Exception)
    assert (gone.kind, gone.restricted) == ("unavailable", False)


@pytest.mark.parametrize("kind", ["region_blocked", "age_restricted", "members_only"])
def test_a_video_that_is_not_for_us_is_restricted(kind: str, youtube: LiveServer, process: Process) -> None:
    answer = process.fetch(define(youtube, "en", status=kind), about=about())
    assert (answer.kind, answer.restricted) == ("unavailable", True)


def test_a_premiere_is_expected_when_it_begins(
    youtube: LiveServer, process: Process, clock_of_test: StoppedClock
) -> None:
    answer = process.fetch(define(youtube, "en", status="premiere"))
    assert (answer.not_yet, answer.expected_at) == (True, clock_of_test.time + timedelta(hours=2))
    answer = process.fetch(define(youtube, "en", status="premiere", starts_at="2030-05-06T07:08:09Z"))
    assert answer.expected_at == datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
    answer = process.fetch(define(youtube, "en", status="premiere", reason="Premiere will begin shortly"))
    assert answer.not_yet


def test_a_video_that_is_live_has_no_captions_yet(youtube: LiveServer, process: Process) -> None:
    answer = process.fetch(define(youtube, "en", status="live"))
    assert (answer.kind, answer.not_yet, answer.transcript) == ("no_transcript", True, None)


def with_answer(process: Process, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a fetch makes of this answer of the player."""
    monkeypatch.setattr("shared.youtube.captions._ask_player", lambda video_id, session: answer)
    return process.result(VIDEO, about())


@pytest.mark.parametrize(
    "answer",
    [
        {"playabilityStatus": {}},
        {"playabilityStatus": {"reason": "Video unavailable"}},
        {"playabilityStatus": {"status": None}},
        {"playabilityStatus": {"status": "OK"}, "captions": {"newRenderer": {"tracks": [1]}}},
        {
            "playabilityStatus": {"status": "OK"},
            "captions": {"playerCaptionsTracklistRenderer": {"captionTracks": {"0": {}}}},
        },
    ],
)
def test_an_answer_without_a_status_or_with_unreadable_captions_is_no_verdict(
    answer: dict[str, Any], process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = with_answer(process, answer, monkeypatch)
    assert isinstance(found, AttemptFailed) or (isinstance(found, Refused) and found.unknown)


@pytest.mark.parametrize(
    "captions",
    [
        None,
        {"newRenderer": {}},
        {
            "playerCaptionsTracklistRenderer": {
                "captionTracks": [{"baseUrl": "https://x", "languageCode": "en"}]
            }
        },
    ],
)
def test_a_video_that_is_live_is_not_yet_whatever_its_captions(
    captions: Any, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = {"status": "OK", "liveStreamability": {"liveStreamabilityRenderer": {"videoId": VIDEO}}}
    found = with_answer(process, {"playabilityStatus": status, "captions": captions}, monkeypatch)
    assert (found.kind, found.not_yet, found.transcript) == ("no_transcript", True, None)


@pytest.mark.parametrize(
    "words", ["This live event has ended.", "The broadcast is over", "This live stream ended"]
)
def test_a_broadcast_that_has_ended_is_not_waited_for(
    words: str, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in ("LIVE_STREAM_OFFLINE", "UNPLAYABLE"):
        found = with_answer(process, {"playabilityStatus": {"status": status, "reason": words}}, monkeypatch)
        assert (found.kind, found.not_yet) == ("no_transcript", False)
