"""Transcripts: what the library's errors mean, what is kept of the lines, and what a fetch costs."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

import pytest
import requests
import youtube_transcript_api as api
from youtube_transcript_api import _errors

from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.live_server import LiveServer
from shared.errors import AttemptFailed, NotReached, Refused, YouTubeError
from shared.transcripts.transcript import Answer
from shared.youtube.captions import _meaning_of
from shared.youtube.egress.breaker import RouteClosed
from tests.unit.youtube.support import Process, requests_of

VIDEO = "abcdefghijk"


class Meaning(NamedTuple):
    """A kind of answer, or a type of error. ``weak``: for a Refused."""

    kind: str | type[YouTubeError]
    weak: bool = False


NO_TRANSCRIPT, UNAVAILABLE = Meaning("no_transcript"), Meaning("unavailable")
FAILED = Meaning(AttemptFailed)
REFUSED, PERHAPS_REFUSED = Meaning(Refused), Meaning(Refused, weak=True)


def kind_of(found: Answer | YouTubeError) -> Meaning:
    if isinstance(found, Answer):
        return Meaning(found.kind)
    return Meaning(type(found), weak=isinstance(found, Refused) and found.weak)


# -- what an exception of the library means ----------------------------------------------------------


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(response=response)


#: Every exception of the library with its meaning; None for one that only the player's answer leads to, which
#: this project reads by itself.
MEANINGS: dict[str, tuple[Exception, Meaning | None]] = {
    "YouTubeTranscriptApiException": (api.YouTubeTranscriptApiException("new"), FAILED),
    "CookieError": (api.CookieError(), FAILED),
    "CookiePathInvalid": (api.CookiePathInvalid(Path("cookies.txt")), FAILED),
    "CookieInvalid": (api.CookieInvalid(Path("cookies.txt")), FAILED),
    "CouldNotRetrieveTranscript": (api.CouldNotRetrieveTranscript(VIDEO), FAILED),
    "YouTubeDataUnparsable": (api.YouTubeDataUnparsable(VIDEO), FAILED),
    "YouTubeRequestFailed": (api.YouTubeRequestFailed(VIDEO, http_error(500)), FAILED),
    "VideoUnplayable": (api.VideoUnplayable(VIDEO, "This video is private", []), None),
    "VideoUnavailable": (api.VideoUnavailable(VIDEO), None),
    "InvalidVideoId": (api.InvalidVideoId(VIDEO), None),
    "RequestBlocked": (api.RequestBlocked(VIDEO), REFUSED),
    "IpBlocked": (api.IpBlocked(VIDEO), REFUSED),
    "TranscriptsDisabled": (api.TranscriptsDisabled(VIDEO), None),
    "AgeRestricted": (api.AgeRestricted(VIDEO), None),
    "NotTranslatable": (api.NotTranslatable(VIDEO), FAILED),
    "TranslationLanguageNotAvailable": (api.TranslationLanguageNotAvailable(VIDEO), FAILED),
    "FailedToCreateConsentCookie": (api.FailedToCreateConsentCookie(VIDEO), FAILED),
    "NoTranscriptFound": (api.NoTranscriptFound(VIDEO, ["en"], None), None),
    "PoTokenRequired": (api.PoTokenRequired(VIDEO), FAILED),
}


def test_the_table_has_every_exception_of_the_library() -> None:
    """A new version may bring new exceptions. Then this fails until somebody adds their meanings."""
    found = {
        name
        for name, each in inspect.getmembers(_errors, inspect.isclass)
        if issubclass(each, api.YouTubeTranscriptApiException)
    }
    assert found == set(MEANINGS)


@pytest.mark.parametrize("name", MEANINGS)
def test_each_exception_of_the_library_has_its_meaning(name: str) -> None:
    error, meaning = MEANINGS[name]
    # Without the player's answer, a verdict of the library proves nothing.
    sentence_of(error, meaning or FAILED)


def sentence_of(error: Exception, expected: Meaning) -> str:
    """What a person reads about an exception with this meaning."""
    found = _meaning_of(error)
    assert kind_of(found) == expected
    sentence = str(found)
    assert sentence.endswith(".")
    # The library's own text is a page of advice.
    assert "\n" not in sentence
    assert len(sentence) < 300
    assert "github" not in sentence
    return sentence


def _subclasses(base: type[Exception]) -> list[type[Exception]]:
    return [base, *(each for child in base.__subclasses__() for each in _subclasses(child))]


NETWORK = sorted(set(_subclasses(requests.RequestException)), key=str)


@pytest.mark.parametrize("kind", NETWORK)
def test_every_error_of_the_network_is_a_failed_attempt(kind: type[Exception]) -> None:
    error = kind("x", "{", 0) if issubclass(kind, requests.JSONDecodeError) else kind("x")
    # Without any connection, it depends on whether the process has ever had one.
    sentence_of(error, Meaning(NotReached) if issubclass(kind, requests.ConnectTimeout) else FAILED)


@pytest.mark.parametrize(
    "error",
    [ParseError("no element found"), KeyError("playerResponse"), ValueError(), TypeError(), AttributeError()],
)
def test_an_answer_that_cannot_be_read_is_a_failed_attempt(error: Exception) -> None:
    sentence_of(error, FAILED)


def test_the_status_of_a_failed_request_is_told() -> None:
    def raised() -> Exception:
        try:
            try:
                raise http_error(502)
            except requests.HTTPError as error:
                raise api.YouTubeRequestFailed(VIDEO, error) from None
        except api.YouTubeRequestFailed as error:
            return error

    assert "HTTP 502" in sentence_of(raised(), FAILED)


# -- with the real library, against the fake YouTube ---------------------------------------------

FAULTS: list[tuple[dict[str, Any], Meaning]] = [
    ({"kind": "429"}, REFUSED),
    ({"kind": "bot"}, REFUSED),
    ({"kind": "recaptcha"}, REFUSED),
    ({"kind": "rate_limited"}, PERHAPS_REFUSED),
    ({"kind": "5xx"}, FAILED),
    ({"kind": "empty"}, FAILED),
    ({"kind": "truncated"}, FAILED),
    ({"kind": "garbage", "endpoints": ["player"]}, FAILED),
    ({"kind": "reset"}, FAILED),
    ({"kind": "cut"}, FAILED),
    ({"kind": "consent", "forever": True}, FAILED),
    ({"kind": "po_token"}, FAILED),
    ({"kind": "captions_disabled"}, NO_TRANSCRIPT),
    ({"kind": "premiere"}, NO_TRANSCRIPT),
    ({"kind": "sign_in"}, PERHAPS_REFUSED),
    ({"kind": "not_on_this_app"}, PERHAPS_REFUSED),
    ({"kind": "unplayable"}, PERHAPS_REFUSED),
    ({"kind": "unplayable", "reason": "Sign in to confirm you're not a bot"}, REFUSED),
    ({"kind": "unavailable"}, UNAVAILABLE),
    ({"kind": "age_restricted"}, UNAVAILABLE),
    ({"kind": "private"}, UNAVAILABLE),
    ({"kind": "deleted"}, UNAVAILABLE),
    ({"kind": "members_only"}, UNAVAILABLE),
    ({"kind": "region_blocked"}, UNAVAILABLE),
]


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=lambda value: str(value))
def test_each_fault_of_youtube_has_its_meaning(
    fault: dict[str, Any], expected: Meaning, youtube: LiveServer, process: Process
) -> None:
    youtube.control("faults", fault)
    found = process.result(generate.video_id("captions", 1, "short"))
    assert kind_of(found) == expected
    assert isinstance(found, YouTubeError) or found.transcript is None


def define(server: LiveServer, *tracks: tuple[str, str, list[Any]]) -> str:
    """Makes a video with these tracks: language, kind and lines. Returns its id."""
    described = [{"language": code, "kind": kind, "lines": lines} for code, kind, lines in tracks]
    server.control("playlists", {"videos": [{"id": VIDEO, "tracks": described}]})
    return VIDEO


#: A line as YouTube has it, and as it is kept. Lines without a word are dropped.
LINES = [
    ("it's <b>said</b>\nhere", "it's said here"),
    ("  two   spaces\tand a tab ", "two spaces and a tab"),
    ("a space\u00a0that does not break", "a space that does not break"),
    (">> you & me, a < b", ">> you & me, a < b"),
    ("if x < 5 and y > 3 we stop", "if x < 5 and y > 3 we stop"),
    ("a List<String> of <i>these</i>", "a List<String> of these"),
    ("<00:00:01.000><c.colorE5E5E5>timed</c>", "timed"),
    ('"quoted" &amp; &#39;escaped&#39;', '"quoted" &amp; &#39;escaped&#39;'),
    ("]]> ♪ näxt 世界 👩‍👩‍👧", "]]> ♪ näxt 世界 👩‍👩‍👧"),
    ("  \n ", None),
    ("", None),
    ("<i></i>", None),
    ("the last one", "the last one"),
]


def test_markup_line_breaks_and_empty_lines_are_dropped(youtube: LiveServer, process: Process) -> None:
    times = [(number * 2.083, 1.5 + number / 1000) for number in range(len(LINES))]
    lines = [[*time, text] for time, (text, _) in zip(times, LINES, strict=True)]
    found = process.transcript(define(youtube, ("de", "human", lines)))
    assert (found.language, found.generated) == ("de", False)
    assert [(line.start, line.duration, line.text) for line in found.lines] == [
        (round(start, 3), duration, text)
        for (start, duration), (_, text) in zip(times, LINES, strict=True)
        if text is not None
    ]


def test_a_track_without_a_word_is_no_transcript(youtube: LiveServer, process: Process) -> None:
    answer = process.fetch(define(youtube, ("en", "generated", [[0.0, 1.0, " "]])))
    assert (answer.kind, answer.reason) == ("no_transcript", "The video's captions are empty.")


def test_preferred_languages_are_configured(youtube: LiveServer, process: Process) -> None:
    line = [[0.0, 1.0, "said"]]
    video_id = define(youtube, ("en", "human", line), ("fr", "generated", line))
    assert process.transcript(video_id).choice == "generated"
    with Process(youtube.url, languages=["ja", "en"]) as other:
        found = other.transcript(video_id)
    assert (found.language, found.generated, found.choice) == ("en", False, "preferred")
    with Process(youtube.url, languages=["ja", "fr"]) as other:
        found = other.transcript(video_id)
    assert (found.language, found.generated) == ("fr", True)


# -- the player key ----------------------------------------------------------------------------------


def test_a_process_reads_one_watch_page(youtube: LiveServer, process: Process) -> None:
    received = []
    for number in range(3):
        process.fetch(generate.video_id("once", number, "short"))
        received.append(process.session.received)
    assert requests_of(youtube) == {"watch": 1, "player": 3, "timedtext": 3}
    assert received[0] > 3 * received[1]
    videos = youtube.stats()["videos"]
    assert received == [videos[generate.video_id("once", number, "short")]["bytes"] for number in range(3)]


def test_a_refused_key_is_learned_anew_once(youtube: LiveServer, process: Process) -> None:
    process.fetch(generate.video_id("key", 0, "short"))
    youtube.control("settings", {"innertube_key": "AIzaSyAnotherKey"})
    process.fetch(generate.video_id("key", 1, "short"))
    # A refused key looks like a refused selection of members. So the player is asked once more.
    assert requests_of(youtube) == {"watch": 2, "player": 4, "timedtext": 2}
    process.fetch(generate.video_id("key", 2, "short"))
    assert requests_of(youtube)["watch"] == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_youtube_that_refuses_every_key_is_asked_with_two_keys(
    status: int, youtube: LiveServer, process: Process
) -> None:
    process.fetch(generate.video_id("refused", 0, "short"))
    youtube.control("faults", {"kind": "5xx", "status": status, "endpoints": ["player"]})
    assert isinstance(process.error(generate.video_id("refused", 1, "short")), AttemptFailed)
    assert process.session.received > 0
    # Each key is tried with a partial answer and with a whole one.
    assert requests_of(youtube) == {"watch": 2, "player": 5, "timedtext": 1}


@pytest.mark.parametrize("fault", [{"kind": "429"}, {"kind": "5xx", "status": 503}, {"kind": "private"}])
def test_an_error_that_is_not_about_the_key_costs_no_watch_page(
    fault: dict[str, Any], youtube: LiveServer, process: Process
) -> None:
    process.fetch(generate.video_id("mends", 0, "short"))
    youtube.control("faults", {**fault, "endpoints": ["player"]})
    process.result(generate.video_id("mends", 1, "short"))
    assert requests_of(youtube) == {"watch": 1, "player": 2, "timedtext": 1}


def test_a_consent_page_is_answered_and_its_key_is_not_learned(youtube: LiveServer, process: Process) -> None:
    youtube.control("faults", {"kind": "consent"})
    process.fetch(generate.video_id("consent", 0, "short"))
    assert process.key.value is not None


def test_a_closed_route_ends_the_fetch_as_it_is(youtube: LiveServer, process: Process) -> None:
    closed = RouteClosed(datetime.now(UTC))

    def closing() -> None:
        raise closed

    with pytest.raises(RouteClosed) as raised:
        process.fetch(generate.video_id("closed", 0, "short"), closing)
    assert raised.value is closed
