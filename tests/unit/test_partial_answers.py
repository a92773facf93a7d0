"""Partial answers of YouTube's player: what they save, and each way in which YouTube may not give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local.standin import generate
from infra.local.standin.inprocess import InProcess
from infra.local.standin.partial import WAYS
from infra.local.standin.playability import UNPLAYABLE
from shared import clients, egress
from shared.captions import Fetched, Refused, fetch
from shared.errors import Blocked, NoTranscript, Transient, VideoUnavailable
from shared.partial_answers import partial_answers
from tests.unit.youtube_support import asking, requests_of

#: In which no partial answer comes.
FAILING = [way for way in WAYS if way not in ("honoured", "ignored")]


def video(number: int) -> str:
    return generate.video_id("partial", number, "short")


def players(server: InProcess) -> int:
    return requests_of(server)["player"]


def refused(video_id: str) -> Refused:
    with pytest.raises(Refused) as raised:
        fetch(video_id)
    return raised.value


def said(fetched: Fetched) -> list[str]:
    return list(fetched.transcript.lines.texts)


def lines_of(video_id: str) -> list[str]:
    made = generate.video(video_id)
    assert made is not None
    return [line.text for line in made.tracks[0].lines()]


@pytest.fixture
def without_captions(youtube_server: InProcess) -> str:
    youtube_server.control("playlists", {"videos": [{"id": "muteVideo01", "status": "nocaptions"}]})
    return "muteVideo01"


def test_the_players_answer_costs_at_most_five_kilobytes(youtube_server: InProcess) -> None:
    """Of real size, and beside the captions themselves."""
    videos = [generate.video_id("partial", number) for number in range(12)]
    spent = [fetch(each).youtube_bytes for each in videos]
    endpoints = youtube_server.stats()["endpoints"]
    assert endpoints["player"]["bytes"] <= 5_000 * len(videos)
    assert sum(spent) == sum(endpoints[name]["bytes"] for name in ("watch", "player", "timedtext"))
    assert requests_of(youtube_server) == {"watch": 1, "player": 12, "timedtext": 12}


def test_a_part_says_what_the_whole_says_of_the_tracks(youtube_server: InProcess) -> None:
    tracks = [
        {"language": code, "kind": kind, "lines": [[0.0, 1.0, f"{code} {kind}"]]}
        for code, kind in (("de", "generated"), ("pt-BR", "human"), ("en", "generated"), ("en", "human"))
    ]
    youtube_server.control("playlists", {"videos": [{"id": "manyTracks0", "tracks": tracks}]})
    for languages in ("", "en", "de,en", "pt"):
        with asking(youtube_server, TRANSCRIPT_LANGUAGES=languages):
            part = fetch("manyTracks0").transcript
        with asking(youtube_server, TRANSCRIPT_LANGUAGES=languages, YOUTUBE_PARTIAL_ANSWERS="off"):
            assert fetch("manyTracks0").transcript == part


@pytest.mark.parametrize("kind", UNPLAYABLE)
def test_a_part_says_what_the_whole_says_of_a_video_that_does_not_play(
    kind: str, youtube_server: InProcess
) -> None:
    fetch(video(0))
    youtube_server.control("faults", {"kind": kind})
    before = players(youtube_server)
    part = refused(video(1))
    assert players(youtube_server) == before + 1
    with asking(youtube_server, YOUTUBE_PARTIAL_ANSWERS="off"):
        whole = refused(video(1))
    assert (type(part.error), str(part.error)) == (type(whole.error), str(whole.error))


# -- YouTube does not give them ---------------------------------------------------------------------


@pytest.mark.parametrize("way", FAILING)
def test_a_youtube_that_does_not_give_parts_is_asked_for_the_whole(
    way: str, youtube_server: InProcess
) -> None:
    """The first video is asked for twice, and the second one the stock way."""
    youtube_server.control("settings", {"partial_answers": way})
    assert said(fetch(video(0))) == lines_of(video(0))
    assert not partial_answers.on
    assert said(fetch(video(1))) == lines_of(video(1))
    assert requests_of(youtube_server) == {"watch": 1, "player": 3, "timedtext": 2}


@pytest.mark.parametrize("way", FAILING)
def test_a_youtube_that_gives_no_parts_any_more_is_asked_for_the_whole(
    way: str, youtube_server: InProcess
) -> None:
    fetch(video(0))
    youtube_server.control("settings", {"partial_answers": way})
    for number in (1, 2):
        assert said(fetch(video(number))) == lines_of(video(number))
    assert not partial_answers.on
    assert players(youtube_server) == 4


def test_a_youtube_that_ignores_the_selection_is_asked_once(youtube_server: InProcess) -> None:
    youtube_server.control("settings", {"partial_answers": "ignored"})
    for number in (0, 1):
        assert said(fetch(video(number))) == lines_of(video(number))
    assert partial_answers.on
    assert players(youtube_server) == 2


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
def test_a_youtube_that_refuses_whoever_selects_is_asked_for_the_whole(
    fault: dict[str, Any], youtube_server: InProcess
) -> None:
    """As long as selecting has not worked in this process. The fault strikes the first request only."""
    youtube_server.control("faults", {**fault, "endpoints": ["player"], "total": 1})
    assert said(fetch(video(0))) == lines_of(video(0))
    assert not partial_answers.on
    assert players(youtube_server) == 2


# -- what proves nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind", "requests"),
    [
        ({"kind": "429"}, Blocked, 1),
        ({"kind": "bot"}, Blocked, 1),
        ({"kind": "5xx", "status": 503}, Transient, 1),
        ({"kind": "private"}, VideoUnavailable, 1),
        ({"kind": "reset"}, Transient, 1),
        ({"kind": "garbage"}, Transient, 2),
        ({"kind": "empty"}, Transient, 2),
        ({"kind": "captions_disabled"}, NoTranscript, 2),
    ],
    ids=str,
)
def test_what_the_whole_answer_says_too_is_no_evidence(
    fault: dict[str, Any], kind: type[Exception], requests: int, youtube_server: InProcess
) -> None:
    """``requests``: of a process in which selecting has worked."""
    struck = {**fault, "endpoints": ["player"], "videos": [video(1), video(2)]}
    youtube_server.control("faults", struck)
    # Before it has worked, any answer that has no tracks is asked for as a whole, too.
    assert isinstance(refused(video(1)).error, kind)
    assert players(youtube_server) == (1 if fault["kind"] == "reset" else 2)
    fetch(video(0))
    before = players(youtube_server)
    assert isinstance(refused(video(2)).error, kind)
    assert players(youtube_server) == before + requests
    assert partial_answers.on


def test_that_there_are_no_captions_is_always_asked_for_as_a_whole(
    youtube_server: InProcess, without_captions: str
) -> None:
    fetch(video(0))
    for number in (1, 2):
        assert isinstance(refused(without_captions).error, NoTranscript)
        assert players(youtube_server) == 1 + 2 * number
    assert partial_answers.on


def test_a_key_that_has_changed_is_no_evidence(youtube_server: InProcess) -> None:
    fetch(video(0))
    youtube_server.control("settings", {"innertube_key": "AIzaSyAnotherKey"})
    assert said(fetch(video(1))) == lines_of(video(1))
    assert partial_answers.on


# -- what the second request is bound to ------------------------------------------------------------


@dataclass
class _Way:
    """Lets so many requests through."""

    most: int
    sent: int = 0
    proxies: Mapping[str, str] | None = None
    rotating: bool = False

    def sending(self) -> bool:
        self.sent += 1
        return self.sent <= self.most


def test_every_request_is_counted_with_its_bytes(youtube_server: InProcess) -> None:
    youtube_server.control("settings", {"partial_answers": "refused"})
    way = _Way(99)
    with clients.youtube_session().leaving(way):
        spent = fetch(video(0)).youtube_bytes
    assert way.sent == sum(requests_of(youtube_server).values()) == 4
    assert spent == youtube_server.stats()["videos"][video(0)]["bytes"]


def test_no_second_request_leaves_when_the_address_is_blocked_meanwhile(youtube_server: InProcess) -> None:
    youtube_server.control("settings", {"partial_answers": "refused"})
    with clients.youtube_session().leaving(_Way(2)):
        error = refused(video(0)).error
    assert isinstance(error, Blocked)
    assert not error.asked
    assert requests_of(youtube_server) == {"watch": 1, "player": 1, "timedtext": 0}
    assert partial_answers.on


def test_the_second_request_is_within_the_time_for_all_requests(
    youtube_server: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch(video(0))
    monkeypatch.setattr(egress, "BUDGET", 0.9)
    youtube_server.control("settings", {"partial_answers": "refused"})
    youtube_server.control("latency", {"player": 0.6})
    assert "in time" in str(refused(video(1)).error)
    youtube_server.control("latency", {"player": 0})
    assert said(fetch(video(1))) == lines_of(video(1))


def test_the_environment_turns_them_off(youtube_server: InProcess) -> None:
    youtube_server.control("settings", {"partial_answers": "refused"})
    with asking(youtube_server, YOUTUBE_PARTIAL_ANSWERS="off"):
        assert said(fetch(video(0))) == lines_of(video(0))
        assert partial_answers.on
    assert players(youtube_server) == 1
    assert youtube_server.stats()["endpoints"]["player"]["bytes"] > 20_000
