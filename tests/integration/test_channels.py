"""Channels: found by their names, listed whole or in part, for as few units of quota as possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.fake_youtube.library.model import channel_named
from infra.local.fake_youtube.live_server import LiveServer
from shared.config import Config
from shared.library.collections import SAVED
from shared.pipeline.jobs import Job
from tests.integration.http_functions import HttpFunctions, bearer, sources_of
from tests.integration.world import World, fresh_ids


class Channel:
    """A channel of 8 videos, 4 Shorts and 3 broadcasts, one a day from the 1st of March on, in turn."""

    def __init__(self, youtube: LiveServer, *, has_prefixes: bool = True) -> None:
        self.name = f"Channel {uuid4().hex[:8]}"
        self.handle = f"@{self.name.lower().replace(' ', '')}"
        self.uploads = f"UU{channel_named(self.name).id[2:]}"
        kinds = ["video", "short", "live", "video"] * 3 + ["video", "video", "short"]
        ids = fresh_ids(len(kinds))
        begin = datetime(2024, 3, 1, tzinfo=UTC)
        self.days = {each: begin + timedelta(days=day) for day, each in enumerate(ids)}
        #: Newest first.
        self.kinds = dict(reversed(list(zip(ids, kinds, strict=True))))
        videos = [
            {
                "id": each,
                "channel": self.name,
                "published_at": f"{self.days[each]:%Y-%m-%dT%H:%M:%SZ}",
                "duration": 60 if kind == "short" else 600,
                "streamed": kind == "live",
            }
            for each, kind in zip(ids, kinds, strict=True)
        ]
        channel = {"title": self.name, "user": self.name.split()[1], "has_prefixes": has_prefixes}
        youtube.control("playlists", {"videos": videos, "channels": [channel]})

    def of(self, *kinds: str) -> list[str]:
        return [each for each, kind in self.kinds.items() if kind in kinds]


class Person:
    def __init__(self, world: World, functions: HttpFunctions) -> None:
        self.id = f"user-{uuid4().hex[:8]}"
        self.world = world
        self._headers = bearer(world, self.id)
        self._web = functions.client("index")

    def post(self, path: str, body: object) -> Any:
        return self._web.post(path, json=body, headers=self._headers)

    def paste(self, text: str) -> list[dict[str, Any]]:
        answer = self.post("/api/sources", {"text": text})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.get_json()["lines"]
        return found

    def listed(self, playlist: str, **channel: Any) -> tuple[Job, list[str]]:
        """Starts and plans a channel. The job, and the videos in the library, as the channel lists them."""
        answer = self.post("/api/index", {"playlist": playlist, "channel": channel})
        assert answer.status_code == 202, answer.text
        return self.plan(answer.get_json())

    def plan(self, answer: dict[str, Any]) -> tuple[Job, list[str]]:
        job = self.world.job(answer["job_id"])
        self.world.plan(job)
        membership = self.world.memberships.read(self.id, answer["playlist_id"])
        assert membership is not None, self.world.job(job.job_id).error
        return self.world.job(job.job_id), list(membership.video_ids)


@pytest.fixture
def person(world: World, functions: HttpFunctions, youtube: LiveServer) -> Person:
    return Person(world, functions)


@pytest.fixture
def channel(youtube: LiveServer) -> Channel:
    return Channel(youtube)


def units(youtube: LiveServer) -> int:
    used: int = youtube.stats()["quota"]["used"]
    return used


def test_a_pasted_handle_is_the_whole_channel(person: Person, channel: Channel, youtube: LiveServer) -> None:
    before = units(youtube)
    [line] = person.paste(f"https://www.youtube.com/{channel.handle}?si=x")
    assert units(youtube) - before == 1
    assert (line["taken_for"], line["title"], line["playlist_id"]) == (
        "channel",
        channel.name,
        channel.uploads,
    )
    job, videos = person.plan(line)
    assert (job.title, videos) == (channel.name, list(channel.kinds))
    membership = person.world.memberships.read(person.id, channel.uploads)
    assert membership is not None
    assert (membership.kind, membership.privacy) == ("channel", "public")
    assert membership.channel == {"shorts": True, "live": True, "newest": None, "since": None}
    # What came into a channel came when it was published.
    assert list(membership.added) == [channel.days[each] for each in videos]


@pytest.mark.parametrize(
    "form", ["{uploads}", "{id}", "https://www.youtube.com/user/{user}", "{handle}/shorts"]
)
def test_a_channel_has_several_names(person: Person, channel: Channel, form: str) -> None:
    names = {"uploads": channel.uploads, "id": f"UC{channel.uploads[2:]}", "user": channel.name.split()[1]}
    [line] = person.paste(form.format(handle=channel.handle, **names))
    assert (line["playlist_id"], line["title"]) == (channel.uploads, channel.name)
    assert line["job_id"]


def test_mixed_lines_are_each_taken_for_what_they_are(person: Person, channel: Channel) -> None:
    lines = person.paste(
        f"{channel.handle}/videos\nPLgen-3-a\n\nhttps://youtu.be/{channel.of('video')[0]}\n"
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ&list=WL\nhttps://vimeo.com/1\n@nobody-has-this\n"
        "UCnobodyhasthischannelid\n<b>x</b> \ud800\x00"
    )
    assert [line["taken_for"] for line in lines] == ["channel", "playlist", "video"] + ["nothing"] * 5
    assert "Without its Shorts and broadcasts" in lines[0]["detail"]
    assert lines[0]["channel"] == {"shorts": False, "live": False, "newest": None, "since": None}
    assert lines[2]["playlist_id"] == SAVED
    said = [line["detail"] for line in lines[3:]]
    assert all(
        part in detail
        for part, detail in zip(
            (
                "Watch Later",
                "none of these",
                "knows no channel '@nobody",
                "knows no channel with this id",
                "none of",
            ),
            said,
            strict=True,
        )
    )
    _, videos = person.plan(lines[0])
    assert videos == channel.of("video")


@pytest.mark.parametrize("has_prefixes", [True, False])
@pytest.mark.parametrize(
    ("chosen", "kinds"),
    [
        ({"shorts": False}, ("video", "live")),
        ({"live": False}, ("video", "short")),
        ({"shorts": False, "live": False}, ("video",)),
        ({}, ("video", "short", "live")),
    ],
    ids=str,
)
def test_a_channel_without_its_shorts_or_broadcasts(
    person: Person, youtube: LiveServer, chosen: dict[str, bool], kinds: tuple[str, ...], has_prefixes: bool
) -> None:
    channel = Channel(youtube, has_prefixes=has_prefixes)
    _, videos = person.listed(channel.uploads, **chosen)
    assert videos == channel.of(*kinds)


def test_the_newest_or_those_since_a_date(person: Person, channel: Channel) -> None:
    everything = list(channel.kinds)
    assert person.listed(channel.uploads, newest=4)[1] == everything[:4]


def test_those_since_a_date(person: Person, channel: Channel) -> None:
    _, videos = person.listed(channel.uploads, since="2024-03-10", shorts=False)
    wanted = [
        each
        for each in channel.of("video", "live")
        if channel.days[each] >= datetime(2024, 3, 10, tzinfo=UTC)
    ]
    assert videos == wanted
    assert 0 < len(wanted) < len(channel.of("video", "live"))


def test_a_large_channel_is_a_choice_and_a_part_of_it_costs_few_units(
    person: Person, youtube: LiveServer
) -> None:
    [line] = person.paste("@gen-1200-big-short")
    assert (line["taken_for"], line["job_id"]) == ("channel", None)
    assert line["choice"] == {"videos": 1200, "seconds": 240, "units": 49}
    assert person.world.jobs.recent(person.id) == []
    before = units(youtube)
    job, videos = person.listed(line["playlist_id"], newest=60)
    assert (len(videos), job.total) == (60, 60)
    # The channel, two pages of its uploads, and the metadata of both.
    assert units(youtube) - before == 5


def test_a_refresh_keeps_what_was_chosen(person: Person, channel: Channel) -> None:
    job, videos = person.listed(channel.uploads, shorts=False)
    person.world.jobs.cancel(job.job_id)
    answer = person.post("/api/index", {"playlist": channel.uploads})
    assert answer.status_code == 202
    assert person.plan(answer.get_json())[1] == videos
    person.world.jobs.cancel(answer.get_json()["job_id"])
    assert person.listed(channel.uploads)[1] == list(channel.kinds)


def test_a_choice_of_nothing_takes_nothing_out_of_the_library(person: Person, channel: Channel) -> None:
    job, videos = person.listed(channel.uploads)
    person.world.jobs.cancel(job.job_id)
    later, still = person.listed(channel.uploads, since="2099-01-01")
    assert (later.state, later.error) == ("failed", "The channel has no videos of those that were chosen.")
    assert still == videos


BAD: list[dict[str, Any]] = [
    {"playlist": "PLgen-3-a", "channel": {"shorts": False}},
    {"playlist": "UUgen-3-a_______________", "channel": []},
    {"playlist": "UUgen-3-a_______________", "channel": "all"},
    {"playlist": "UUgen-3-a_______________", "channel": {"shorts": 1}},
    {"playlist": "UUgen-3-a_______________", "channel": {"live": None}},
    {"playlist": "UUgen-3-a_______________", "channel": {"newest": 0}},
    {"playlist": "UUgen-3-a_______________", "channel": {"newest": True}},
    {"playlist": "UUgen-3-a_______________", "channel": {"newest": 10**30}},
    {"playlist": "UUgen-3-a_______________", "channel": {"newest": 1.5}},
    {"playlist": "UUgen-3-a_______________", "channel": {"since": "yesterday"}},
    {"playlist": "UUgen-3-a_______________", "channel": {"since": "20240131"}},
    {"playlist": "UUgen-3-a_______________", "channel": {"since": "2024-02-30"}},
    {"playlist": "UUgen-3-a_______________", "channel": {"since": "2024-02-3\x00"}},
    {"playlist": "UUgen-3-a_______________", "channel": {"since": 2024}},
    {"playlist": "UUgen-3-a_______________", "channel": {"\ud800": True}},
    {"playlist": "@nobody-has-this"},
    {"playlist": "@" + "x" * 200},
    {"playlist": "@\x00"},
    {"playlist": "https://www.youtube.com/c/SomeOne"},
    {"playlist": "https://youtu.be/dQw4w9WgXcQ"},
]


def test_bad_choices_are_refused_and_start_nothing(person: Person) -> None:
    for body in BAD:
        answer = person.post("/api/index", body)
        assert answer.status_code == 400, (body, answer.text)
        assert answer.get_json()["detail"].endswith((".", "null."))
    assert person.world.jobs.recent(person.id) == []


class TestShares:
    """What all users share is not used up by one."""

    @pytest.fixture
    def config(self, config: Config) -> Config:
        return replace(config, jobs_per_hour=2)

    def test_a_user_looks_up_so_many_channels_an_hour(
        self, person: Person, youtube: LiveServer, channel: Channel
    ) -> None:
        before = units(youtube)
        lines = person.paste("@nobody1\n@nobody2\n@nobody3\nUCnobodyhasthischannelid")
        # The ids are asked for first, all of them at once.
        assert units(youtube) - before == 2
        assert ["within an hour" in line["detail"] for line in lines] == [False, True, True, False]
        assert person.post("/api/index", {"playlist": channel.handle}).status_code == 429

    def test_when_the_quota_is_used_up_the_lines_say_so(self, person: Person, youtube: LiveServer) -> None:
        youtube.control("faults", {"kind": "quota_exceeded", "endpoints": ["data_api"]})
        video = fresh_ids(1)[0]
        lines = person.paste(f"@someone\nUCnobodyhasthischannelid\n{video}")
        assert [line["taken_for"] for line in lines] == ["nothing", "nothing", "video"]
        assert all("takes no more requests for now" in line["detail"] for line in lines[:2])
        assert person.post("/api/index", {"playlist": "@someone"}).status_code == 429


def test_many_lines_end_in_time(person: Person, world: World) -> None:
    """The function has thirty seconds. Lines for which there was no time say so, and lose nothing."""
    lines = sources_of(world, works_for=0.0).add(person.id, "PLgen-3-a\nPLgen-3-b").lines
    assert [line.detail for line in lines] == ["There was no time for this line. Paste it again."] * 2
