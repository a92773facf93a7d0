"""Transcripts: what the library's errors mean, what is kept of the lines, and what a fetch costs."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pytest
import requests
import youtube_transcript_api as api
from hypothesis import given
from hypothesis import strategies as st
from youtube_transcript_api import _errors
from youtube_transcript_api._transcripts import _TranscriptParser

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from shared.captions import Refused, _lines, fetch, meaning
from shared.egress import AddressClosed, player_key
from shared.errors import Blocked, DeliveryError, NoTranscript, Transient, VideoUnavailable
from shared.transcripts import Lines
from tests.unit.youtube_support import asking, requests_of

VIDEO = "abcdefghijk"


# -- meaning ----------------------------------------------------------------------------------------


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(response=response)


def unplayable(reason: str | None) -> Exception:
    return api.VideoUnplayable(VIDEO, reason, [])


#: Every exception of the library, and what it means here.
MEANINGS: dict[str, tuple[Exception, type[DeliveryError]]] = {
    "YouTubeTranscriptApiException": (api.YouTubeTranscriptApiException("new"), Transient),
    "CookieError": (api.CookieError(), Transient),
    "CookiePathInvalid": (api.CookiePathInvalid(Path("cookies.txt")), Transient),
    "CookieInvalid": (api.CookieInvalid(Path("cookies.txt")), Transient),
    "CouldNotRetrieveTranscript": (api.CouldNotRetrieveTranscript(VIDEO), Transient),
    "YouTubeDataUnparsable": (api.YouTubeDataUnparsable(VIDEO), Transient),
    "YouTubeRequestFailed": (api.YouTubeRequestFailed(VIDEO, http_error(500)), Transient),
    "VideoUnplayable": (unplayable("This video is private"), VideoUnavailable),
    "VideoUnavailable": (api.VideoUnavailable(VIDEO), VideoUnavailable),
    "InvalidVideoId": (api.InvalidVideoId(VIDEO), VideoUnavailable),
    "RequestBlocked": (api.RequestBlocked(VIDEO), Blocked),
    "IpBlocked": (api.IpBlocked(VIDEO), Blocked),
    "TranscriptsDisabled": (api.TranscriptsDisabled(VIDEO), NoTranscript),
    "AgeRestricted": (api.AgeRestricted(VIDEO), VideoUnavailable),
    "NotTranslatable": (api.NotTranslatable(VIDEO), Transient),
    "TranslationLanguageNotAvailable": (api.TranslationLanguageNotAvailable(VIDEO), Transient),
    "FailedToCreateConsentCookie": (api.FailedToCreateConsentCookie(VIDEO), Transient),
    "NoTranscriptFound": (api.NoTranscriptFound(VIDEO, ["en"], None), NoTranscript),
    "PoTokenRequired": (api.PoTokenRequired(VIDEO), Transient),
}


def test_the_table_has_every_exception_of_the_library() -> None:
    """A new version may bring new ones: this fails until somebody has thought about what they mean."""
    found = {
        name
        for name, each in inspect.getmembers(_errors, inspect.isclass)
        if issubclass(each, api.YouTubeTranscriptApiException)
    }
    assert found == set(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_what_an_exception_of_the_library_means(name: str) -> None:
    error, kind = MEANINGS[name]
    _means(error, kind)


def _means(error: Exception, kind: type[DeliveryError]) -> DeliveryError:
    found = meaning(error)
    assert type(found) is kind
    message = str(found)
    assert message.endswith(".")
    # A sentence for a person, not the library's page of advice.
    assert "\n" not in message
    assert len(message) < 300
    assert "github" not in message
    return found


def _subclasses(base: type[Exception]) -> list[type[Exception]]:
    return [base, *(each for child in base.__subclasses__() for each in _subclasses(child))]


NETWORK = sorted(set(_subclasses(requests.RequestException)) - {AddressClosed}, key=str)


@pytest.mark.parametrize("kind", NETWORK)
def test_every_error_of_the_network_is_of_the_moment(kind: type[Exception]) -> None:
    error = kind("x", "{", 0) if issubclass(kind, requests.JSONDecodeError) else kind("x")
    _means(error, Transient)


@pytest.mark.parametrize(
    "error",
    [ParseError("no element found"), KeyError("playerResponse"), ValueError(), TypeError(), AttributeError()],
)
def test_what_cannot_be_understood_is_of_the_moment(error: Exception) -> None:
    _means(error, Transient)


REASONS: list[tuple[str | None, type[DeliveryError]]] = [
    ("This content isn't available, try again later.", Blocked),
    ("Private video", VideoUnavailable),
    ("This video is private", VideoUnavailable),
    ("Join this channel to get access to members-only content like this video.", VideoUnavailable),
    ("The uploader has not made this video available in your country", VideoUnavailable),
    ("Video removed by the uploader", VideoUnavailable),
    ("Premieres in 3 hours", NoTranscript),
    ("Premiere will begin shortly", NoTranscript),
    ("This live event will begin in 2 days.", NoTranscript),
    ("We're processing this video. Check back later.", NoTranscript),
    ("Offline.", NoTranscript),
    ("", VideoUnavailable),
    (None, VideoUnavailable),
]


@pytest.mark.parametrize(("reason", "kind"), REASONS)
def test_why_a_video_is_not_played(reason: str | None, kind: type[DeliveryError]) -> None:
    found = _means(unplayable(reason), kind)
    assert ".." not in str(found)


def test_the_status_behind_a_failed_request_is_told() -> None:
    def raised() -> Exception:
        try:
            try:
                raise http_error(502)
            except requests.HTTPError as error:
                raise api.YouTubeRequestFailed(VIDEO, error) from None
        except api.YouTubeRequestFailed as error:
            return error

    assert "HTTP 502" in str(meaning(raised()))


# -- with the real library, against the stand-in ----------------------------------------------------

FAULTS: list[tuple[dict[str, Any], type[DeliveryError]]] = [
    ({"kind": "429"}, Blocked),
    ({"kind": "bot"}, Blocked),
    ({"kind": "recaptcha"}, Blocked),
    ({"kind": "rate_limited"}, Blocked),
    ({"kind": "5xx"}, Transient),
    ({"kind": "empty"}, Transient),
    ({"kind": "truncated"}, Transient),
    ({"kind": "garbage", "endpoints": ["player"]}, Transient),
    ({"kind": "reset"}, Transient),
    ({"kind": "cut"}, Transient),
    ({"kind": "consent", "forever": True}, Transient),
    ({"kind": "po_token"}, Transient),
    ({"kind": "captions_disabled"}, NoTranscript),
    ({"kind": "premiere"}, NoTranscript),
    ({"kind": "unavailable"}, VideoUnavailable),
    ({"kind": "age_restricted"}, VideoUnavailable),
    ({"kind": "private"}, VideoUnavailable),
    ({"kind": "deleted"}, VideoUnavailable),
    ({"kind": "members_only"}, VideoUnavailable),
    ({"kind": "region_blocked"}, VideoUnavailable),
]


@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=lambda value: str(value))
def test_faults_as_youtube_has_them(
    fault: dict[str, Any], kind: type[DeliveryError], youtube_server: InProcess
) -> None:
    youtube_server.control("faults", fault)
    with pytest.raises(Refused) as raised:
        fetch(generate.video_id("captions", 1, "short"))
    assert type(raised.value.error) is kind
    assert raised.value.__cause__ is not None


def define(server: InProcess, *tracks: tuple[str, str, list[Any]]) -> str:
    described = [{"language": code, "kind": kind, "lines": lines} for code, kind, lines in tracks]
    server.control("playlists", {"videos": [{"id": VIDEO, "tracks": described}]})
    return VIDEO


#: What YouTube has in a line, and what a user reads.
SAID = [
    ("it's <b>said</b>\nhere", "it's said here"),
    ("  two   spaces\tand a tab ", "two spaces and a tab"),
    ("a space\u00a0that does not break", "a space that does not break"),
    (">> you & me, a < b", ">> you & me, a < b"),
    ('"quoted" &amp; &#39;escaped&#39;', '"quoted" &amp; &#39;escaped&#39;'),
    ("]]> ♪ näxt 世界 👩‍👩‍👧", "]]> ♪ näxt 世界 👩‍👩‍👧"),
    ("  \n ", None),
    ("", None),
    ("<i></i>", None),
    ("the last one", "the last one"),
]


def test_lines_are_as_they_were_said_without_markup_and_line_breaks(youtube_server: InProcess) -> None:
    """Lines without a word are dropped, with their times."""
    times = [(number * 2.083, 1.5 + number / 1000) for number in range(len(SAID))]
    lines = [[*time, said] for time, (said, _) in zip(times, SAID, strict=True)]
    found = fetch(define(youtube_server, ("de", "human", lines))).transcript
    assert (found.language, found.generated) == ("de", False)
    assert [(line.start, line.duration, line.text) for line in found.lines] == [
        (round(start, 3), duration, text)
        for (start, duration), (_, text) in zip(times, SAID, strict=True)
        if text is not None
    ]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.text())))
def test_times_are_kept_to_the_millisecond_and_spaces_are_single(rows: list[tuple[int, int, str]]) -> None:
    lines = _lines(api.FetchedTranscriptSnippet(text, start / 1000, dur / 1000) for start, dur, text in rows)
    kept = [(start, dur, text.split()) for start, dur, text in rows if text.split()]
    assert list(zip(lines.starts, lines.durations, strict=True)) == [(start, dur) for start, dur, _ in kept]
    assert [text.split(" ") for text in lines.texts] == [words for _, _, words in kept]


def test_a_line_may_have_no_duration() -> None:
    parsed = _TranscriptParser().parse('<transcript><text start="3">said</text></transcript>')
    assert _lines(parsed) == Lines([3000], [0], ["said"])


def test_a_track_without_a_word_is_no_transcript(youtube_server: InProcess) -> None:
    with pytest.raises(Refused) as raised:
        fetch(define(youtube_server, ("en", "generated", [[0.0, 1.0, " "]])))
    assert isinstance(raised.value.error, NoTranscript)


def test_preferences_come_from_the_environment(youtube_server: InProcess) -> None:
    line = [[0.0, 1.0, "said"]]
    video_id = define(youtube_server, ("en", "human", line), ("fr", "generated", line))
    assert fetch(video_id).transcript.language == "en"
    with asking(youtube_server, TRANSCRIPT_LANGUAGES="ja,fr"):
        found = fetch(video_id).transcript
    assert (found.language, found.generated) == ("fr", True)


def test_the_watch_page_is_read_once_a_process(youtube_server: InProcess) -> None:
    spent = [fetch(generate.video_id("once", number, "short")).youtube_bytes for number in range(3)]
    assert requests_of(youtube_server) == {"watch": 1, "player": 3, "timedtext": 3}
    assert spent[0] > 3 * spent[1]
    videos = youtube_server.stats()["videos"]
    told = [videos[generate.video_id("once", number, "short")]["bytes"] for number in range(3)]
    assert spent == told


def test_a_remembered_key_that_is_refused_is_learned_anew_once(youtube_server: InProcess) -> None:
    fetch(generate.video_id("key", 0, "short"))
    youtube_server.control("settings", {"innertube_key": "AIzaSyAnotherKey"})
    fetch(generate.video_id("key", 1, "short"))
    # A refused key looks like a refused selection of members: the player is asked once more.
    assert requests_of(youtube_server) == {"watch": 2, "player": 4, "timedtext": 2}
    fetch(generate.video_id("key", 2, "short"))
    assert requests_of(youtube_server)["watch"] == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_whoever_refuses_every_key_is_asked_twice_and_not_for_ever(
    status: int, youtube_server: InProcess
) -> None:
    fetch(generate.video_id("refused", 0, "short"))
    youtube_server.control("faults", {"kind": "5xx", "status": status, "endpoints": ["player"]})
    with pytest.raises(Refused) as raised:
        fetch(generate.video_id("refused", 1, "short"))
    assert isinstance(raised.value.error, Transient)
    assert raised.value.youtube_bytes > 0
    # With each key for a part of the answer and for all of it.
    assert requests_of(youtube_server) == {"watch": 2, "player": 5, "timedtext": 1}


@pytest.mark.parametrize("fault", [{"kind": "429"}, {"kind": "5xx", "status": 503}, {"kind": "private"}])
def test_what_no_key_mends_costs_no_watch_page(fault: dict[str, Any], youtube_server: InProcess) -> None:
    fetch(generate.video_id("mends", 0, "short"))
    youtube_server.control("faults", {**fault, "endpoints": ["player"]})
    with pytest.raises(Refused):
        fetch(generate.video_id("mends", 1, "short"))
    assert requests_of(youtube_server) == {"watch": 1, "player": 2, "timedtext": 1}


def test_a_consent_page_is_answered_and_its_key_not_learned_from(youtube_server: InProcess) -> None:
    youtube_server.control("faults", {"kind": "consent"})
    fetch(generate.video_id("consent", 0, "short"))
    assert player_key.value is not None
