"""Partial answers of YouTube's player: what they save, and every way in which YouTube may not send them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs

import pytest
import requests

from infra.local.fake_youtube.captions.partial_answers import MODES
from infra.local.fake_youtube.library import generate
from infra.local.fake_youtube.library.playability import UNPLAYABLE
from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.errors import AttemptFailed, Refused, YouTubeError
from shared.transcripts.transcript import Answer
from shared.youtube.captions import Captions
from shared.youtube.egress.breaker import RouteClosed, egress_path
from shared.youtube.egress.routing import Routing
from shared.youtube.partial_answers import PARAMETERS, PartialAnswers
from tests.unit.in_memory import InMemory
from tests.unit.youtube.support import Process, requests_of
from tests.wire import Heads

#: The ways of the fake YouTube in which it sends no partial answer with caption tracks.
FAILING = [way for way in MODES if way not in ("honoured", "ignored")]


def video(number: int) -> str:
    return generate.video_id("partial", number, "short")


def players(server: LiveServer) -> int:
    """The number of requests to the player."""
    return requests_of(server)["player"]


def texts_of(video_id: str) -> list[str]:
    """The caption lines of a generated video."""
    made = generate.video(video_id)
    assert made is not None
    return [line.text for line in made.tracks[0].lines()]


def result(process: Process, video_id: str) -> tuple[Any, str]:
    """The kind of answer and its reason, or the type of error and its sentence."""
    found = process.result(video_id)
    if isinstance(found, YouTubeError):
        return type(found), str(found)
    return found.kind, found.reason


@pytest.fixture
def whole(youtube: LiveServer) -> Iterator[Process]:
    """A process that asks for whole answers only."""
    with Process(youtube.url, partial=False) as made:
        yield made


@pytest.fixture
def without_captions(youtube: LiveServer) -> str:
    youtube.control("playlists", {"videos": [{"id": "muteVideo01", "status": "nocaptions"}]})
    return "muteVideo01"


def test_a_video_costs_at_most_five_kilobytes_beyond_its_captions(
    youtube: LiveServer, process: Process
) -> None:
    """Requests and heads are counted. The key is known, which one video of many has read in a watch page."""
    process.fetch(video(0))
    youtube.control("reset", {"what": ["stats"]})
    heads, received = Heads(process.session), 0
    videos = [generate.video_id("partial", number) for number in range(12)]
    for each in videos:
        process.fetch(each)
        received += process.session.received
    endpoints = youtube.stats()["endpoints"]
    assert received == endpoints["player"]["bytes"] + endpoints["timedtext"]["bytes"]
    beyond = received + heads.bytes - endpoints["timedtext"]["bytes"]
    assert 1_000 * len(videos) < beyond <= 5_000 * len(videos)
    assert requests_of(youtube) == {"watch": 0, "player": 12, "timedtext": 12}


def test_a_partial_answer_has_the_same_tracks_as_the_whole_one(youtube: LiveServer) -> None:
    tracks = [
        {"language": code, "kind": kind, "lines": [[0.0, 1.0, f"{code} {kind}"]]}
        for code, kind in (("de", "generated"), ("pt-BR", "human"), ("en", "generated"), ("en", "human"))
    ]
    audio = {
        "audio_tracks": [{"id": "de.3", "captions": [0]}, {"id": "pt.4", "captions": [1]}],
        "default_audio_track": 1,
    }
    defined: list[dict[str, Any]] = [
        {"id": "manyTracks0", "tracks": tracks},
        {"id": "manySounds0", "tracks": tracks, **audio},
    ]
    youtube.control("playlists", {"videos": defined})
    for languages in ([], ["en"], ["de", "en"], ["pt"]):
        with (
            Process(youtube.url, languages=languages) as partial,
            Process(youtube.url, languages=languages, partial=False) as whole,
        ):
            for each in defined:
                assert partial.transcript(each["id"]) == whole.transcript(each["id"])
    with Process(youtube.url) as process:
        found = process.transcript("manySounds0")
    assert (found.language, found.choice) == ("pt-BR", "audio_track")


def test_each_selected_member_is_missed_when_it_does_not_come() -> None:
    """Below, each way in which YouTube may fail is tried."""
    query = parse_qs(PARAMETERS.removeprefix("&"))
    selected = {"playabilityStatus", "captionTracks", "audioTracks", "defaultAudioTrackIndex"}
    assert set(re.findall(r"\w+(?=[,)])", query["$fields"][0])) == selected
    assert {f"without_{name}" for name in selected} <= set(FAILING)


@pytest.mark.parametrize("kind", UNPLAYABLE)
def test_a_partial_answer_says_the_same_of_a_video_that_does_not_play(
    kind: str, youtube: LiveServer, process: Process, whole: Process
) -> None:
    process.fetch(video(0))
    youtube.control("faults", {"kind": kind})
    before = players(youtube)
    found = result(process, video(1))
    assert players(youtube) == before + 1
    assert found == result(whole, video(1))


# -- YouTube does not send them ----------------------------------------------------------------------


@pytest.mark.parametrize("way", FAILING)
def test_without_partial_answers_the_whole_one_is_asked_for(
    way: str, youtube: LiveServer, process: Process
) -> None:
    """The player is asked twice about the first video, and once about each one after it."""
    youtube.control("settings", {"partial_answers": way})
    assert process.texts(video(0)) == texts_of(video(0))
    assert not process.partial_answers.on
    assert process.texts(video(1)) == texts_of(video(1))
    assert requests_of(youtube) == {"watch": 1, "player": 3, "timedtext": 2}


@pytest.mark.parametrize("way", FAILING)
def test_when_partial_answers_stop_the_whole_one_is_asked_for(
    way: str, youtube: LiveServer, process: Process
) -> None:
    process.fetch(video(0))
    youtube.control("settings", {"partial_answers": way})
    for number in (1, 2):
        assert process.texts(video(number)) == texts_of(video(number))
    assert not process.partial_answers.on
    assert players(youtube) == 4


def test_a_youtube_that_ignores_the_selection_is_asked_once(youtube: LiveServer, process: Process) -> None:
    youtube.control("settings", {"partial_answers": "ignored"})
    for number in (0, 1):
        assert process.texts(video(number)) == texts_of(video(number))
    assert process.partial_answers.on
    assert players(youtube) == 2


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "5xx", "status": 403},
        {"kind": "5xx", "status": 404},
        {"kind": "5xx", "status": 500},
        {"kind": "429"},
        {"kind": "bot"},
        {"kind": "unavailable"},
    ],
    ids=str,
)
def test_a_youtube_that_refuses_a_selection_is_asked_for_the_whole(
    fault: dict[str, Any], youtube: LiveServer, process: Process
) -> None:
    """While selecting has not worked in this process. The fault meets the first request only."""
    youtube.control("faults", {**fault, "endpoints": ["player"], "total": 1})
    assert process.texts(video(0)) == texts_of(video(0))
    assert not process.partial_answers.on
    assert players(youtube) == 2


# -- the whole answer says the same ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "expected", "requests"),
    [
        ({"kind": "429"}, Refused, 1),
        ({"kind": "bot"}, Refused, 1),
        ({"kind": "5xx", "status": 503}, AttemptFailed, 1),
        ({"kind": "private"}, "unavailable", 1),
        ({"kind": "5xx", "status": 403}, AttemptFailed, 4),
        ({"kind": "5xx", "status": 400}, AttemptFailed, 4),
        ({"kind": "reset"}, AttemptFailed, 1),
        ({"kind": "garbage"}, AttemptFailed, 2),
        ({"kind": "empty"}, AttemptFailed, 2),
        ({"kind": "captions_disabled"}, "no_transcript", 2),
    ],
    ids=str,
)
def test_a_fault_of_whole_answers_too_does_not_turn_partial_ones_off(
    fault: dict[str, Any],
    expected: type[YouTubeError] | str,
    requests: int,
    youtube: LiveServer,
    process: Process,
) -> None:
    """``requests``: to the player, in a process where selecting has worked. With 400 or 403 the key may be
    outdated, so everything is asked for twice."""
    youtube.control("faults", {**fault, "endpoints": ["player"], "videos": [video(1), video(2)]})
    # Before selecting has worked, the whole answer is asked for wherever a partial one has no tracks.
    assert result(process, video(1))[0] == expected
    assert players(youtube) == (1 if fault["kind"] == "reset" else 2)
    process.fetch(video(0))
    before = players(youtube)
    assert result(process, video(2))[0] == expected
    assert players(youtube) == before + requests
    assert process.partial_answers.on


def test_that_there_are_no_captions_is_always_checked_with_the_whole_answer(
    youtube: LiveServer, process: Process, without_captions: str
) -> None:
    process.fetch(video(0))
    for number in (1, 2):
        assert process.fetch(without_captions) == Answer("no_transcript", reason="The video has no captions.")
        assert players(youtube) == 1 + 2 * number
    assert process.partial_answers.on


def test_a_key_that_has_changed_does_not_turn_partial_answers_off(
    youtube: LiveServer, process: Process
) -> None:
    process.fetch(video(0))
    youtube.control("settings", {"innertube_key": "AIzaSyAnotherKey"})
    assert process.texts(video(1)) == texts_of(video(1))
    assert process.partial_answers.on


def test_what_whole_answers_lack_as_well_is_not_looked_for_any_more() -> None:
    """YouTube may stop sending a member. Then partial answers are as good as whole ones."""
    track = {"baseUrl": "u", "languageCode": "en", "name": {}, "trackName": ""}
    renderer = {"captionTracks": [track], "audioTracks": [{}], "defaultAudioTrackIndex": 0}
    answer = {
        "playabilityStatus": {"status": "OK"},
        "captions": {"playerCaptionsTracklistRenderer": renderer},
    }
    sent: list[str] = []

    def send(added: str, _: bool) -> requests.Response:
        sent.append(added)
        response = requests.Response()
        response.status_code, response._content = 200, json.dumps(answer).encode()
        return response

    answers = PartialAnswers()
    for _ in range(3):
        assert answers.ask(send).json() == answer
    assert sent == [PARAMETERS, "", PARAMETERS, PARAMETERS]
    assert answers.on
    assert answers.works


@pytest.mark.parametrize("kind", ["429", "bot"])
def test_a_refused_request_that_is_repeated_is_no_success_of_its_address(
    kind: str, youtube: LiveServer
) -> None:
    """Or the rate of an address that is blocked from the first day would be measured by its refusals."""
    youtube.control("faults", {"kind": kind, "endpoints": ["player"], "videos": [video(0)]})
    db, config = InMemory(), Config(youtube_base_url=youtube.url)
    routing = Routing(config, db)
    with pytest.raises(YouTubeError), routing.acquire(video(0), 5) as permit:
        Captions(config).fetch(video(0), permit.session)
    assert requests_of(youtube) == {"watch": 1, "player": 2, "timedtext": 0}
    routing.sync()
    assert db[egress_path(config.egress_name)]["succeeded"] == 1, "the watch page"


# -- the limits of the second request ----------------------------------------------------------------


class Allowance:
    """Allows so many requests. Then the route is closed."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sent = 0

    def __call__(self) -> None:
        self.sent += 1
        if self.sent > self.most:
            raise RouteClosed(datetime.now(UTC))


def test_every_request_is_counted_with_its_bytes(youtube: LiveServer, process: Process) -> None:
    youtube.control("settings", {"partial_answers": "refused"})
    allowance = Allowance(99)
    process.fetch(video(0), allowance)
    assert allowance.sent == sum(requests_of(youtube).values()) == 4
    assert process.session.received == youtube.stats()["videos"][video(0)]["bytes"]


def test_no_second_request_is_sent_when_the_address_is_blocked_meanwhile(
    youtube: LiveServer, process: Process
) -> None:
    youtube.control("settings", {"partial_answers": "refused"})
    with pytest.raises(RouteClosed):
        process.fetch(video(0), Allowance(2))
    assert requests_of(youtube) == {"watch": 1, "player": 1, "timedtext": 0}
    assert process.partial_answers.on


def test_the_second_request_shares_the_time_of_the_attempt(youtube: LiveServer) -> None:
    with Process(youtube.url, budget=0.9) as process:
        process.fetch(video(0))
        youtube.control("settings", {"partial_answers": "refused"})
        youtube.control("latency", {"player": 0.6})
        assert "in time" in str(process.error(video(1)))
        youtube.control("latency", {"player": 0})
        assert process.texts(video(1)) == texts_of(video(1))


@pytest.mark.parametrize(("setting", "players"), [("off", 1), ("on", 2)])
def test_they_can_be_turned_off(setting: Literal["on", "off"], players: int, youtube: LiveServer) -> None:
    youtube.control("settings", {"partial_answers": "refused"})
    config = Config(youtube_base_url=youtube.url, youtube_partial_answers=setting)
    with Routing(config, InMemory()).acquire(video(0), 5) as permit:
        permit.session.begin()
        found = Captions(config).fetch(video(0), permit.session).transcript
    assert found is not None
    assert list(found.lines.texts) == texts_of(video(0))
    assert requests_of(youtube)["player"] == players
    assert youtube.stats()["endpoints"]["player"]["bytes"] > 20_000
