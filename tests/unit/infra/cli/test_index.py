"""infra/local/cli/index.py: the progress of a job, and the list of videos that were not indexed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.cli.api import Api
from infra.local.cli.index import add, fetch, index


class FakeApi(Api):
    """Answers by the last part of the path. The last answer is repeated."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self._answers: dict[str, Iterator[dict[str, Any]]] = {
            name: iter(given) for name, given in answers.items()
        }
        self._last: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str, dict[str, Any]]] = []

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        self.calls.append((method, path, options))
        name = path.rsplit("/", 1)[1]
        self._last[name] = next(self._answers[name], self._last.get(name, {}))
        return self._last[name]


def _job(state: str, total: int | None = None, **counts: int) -> dict[str, Any]:
    names = ("pending", "indexed", "no_transcript", "unavailable", "failed")
    return {
        "state": state,
        "total": total,
        "title": "Talks",
        "playlist_id": "PLx",
        "counts": {name: counts.get(name, 0) for name in names},
        "reused": 1,
        "youtube_bytes": 2_500_000,
        "blocked_until": None,
        "error": "The playlist is private." if state == "failed" else None,
    }


def test_videos_that_were_not_indexed_are_listed_with_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    done = _job("done", 4, indexed=2, failed=1, no_transcript=1)
    video = {"video_id": "abc", "title": "One", "reason": "It was given up."}
    api = FakeApi(
        index=[{"job_id": "j"}],
        j=[_job("queued"), _job("running", 4, pending=4), done],
        videos=[{"videos": [video], "cursor": None}],
    )
    assert index(api, "PLx", poll_seconds=0)
    assert api.calls[0] == ("POST", "/api/index", {"json": {"playlist": "PLx"}})
    out = capsys.readouterr().out
    assert "Talks: 4 of 4 videos" in out
    assert (
        "2 indexed, 1 without captions, 0 unavailable, 1 failed; 1 were known already, 2.5 MB from YouTube"
        in out
    )
    assert "1 failed:\n  abc  One: It was given up.\n" in out
    listed = [options["params"]["state"] for _, path, options in api.calls if path.endswith("videos")]
    assert listed == ["failed", "no_transcript"]


def test_a_playlist_is_fetched_again_when_the_person_says_so() -> None:
    api = FakeApi(index=[{"job_id": "j"}], j=[_job("done", 1, indexed=1)])
    assert index(api, "PLx", again=True, poll_seconds=0)
    assert api.calls[0] == ("POST", "/api/index", {"json": {"playlist": "PLx", "again": True}})


@pytest.mark.parametrize(
    ("video", "path"),
    [
        ("dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=3s", "dQw4w9WgXcQ"),
        ("https://www.youtube.com/watch?list=PLx&v=-Qw4w9WgXc_", "-Qw4w9WgXc_"),
        ("https://youtu.be/dQw4w9WgXcQ?si=x", "dQw4w9WgXcQ"),
        ("youtube.com/shorts/dQw4w9WgXcQ", "dQw4w9WgXcQ"),
        ("../jobs", "..%2Fjobs"),
    ],
)
def test_a_video_is_fetched_again_by_its_id_or_address(video: str, path: str) -> None:
    api = FakeApi(fetch=[{"job_id": "j"}], j=[_job("done", 1, indexed=1)])
    assert fetch(api, video, poll_seconds=0)
    assert api.calls[0] == ("POST", f"/api/videos/{path}/fetch", {"json": {}})


@pytest.mark.parametrize(
    ("state", "message"),
    [("failed", "The job failed: The playlist is private."), ("cancelled", "The job was cancelled.")],
)
def test_a_job_that_does_not_finish_is_a_failure(
    state: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    api = FakeApi(index=[{"job_id": "j"}], j=[_job(state)])
    assert not index(api, "PLx", poll_seconds=0)
    assert message in capsys.readouterr().out


def _line(text: str, taken_for: str, **fields: Any) -> dict[str, Any]:
    none = dict.fromkeys(("title", "playlist_id", "video_id", "job_id", "detail", "choice"))
    return {"text": text, "taken_for": taken_for, **none, **fields}


def test_several_sources_are_indexed_and_what_is_none_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [_line("PLx", "playlist", job_id="j"), _line("@x", "channel", job_id="k")]
    jobs = {"j": [_job("done", 1, indexed=1)], "k": [_job("done", 2, indexed=2)]}
    api = FakeApi(sources=[{"lines": [*lines, _line("youtu.be/v", "video", job_id="j")]}], **jobs)
    assert add(api, ["PLx", "@x", "youtu.be/v"], poll_seconds=0)
    assert api.calls[0] == ("POST", "/api/sources", {"json": {"text": "PLx\n@x\nyoutu.be/v"}})
    # A job that two lines have in common is shown once.
    assert [path for _, path, _ in api.calls[1:]] == ["/api/jobs/j", "/api/jobs/k"]
    refused = FakeApi(sources=[{"lines": [*lines, _line("x", "nothing", detail="It is none.")]}], **jobs)
    assert not add(refused, ["PLx", "@x", "x"], poll_seconds=0)
    assert "x: It is none.\n" in capsys.readouterr().out


def test_a_large_channel_is_not_started_before_it_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    choice = {"videos": 20_000, "seconds": 4_000, "units": 801}
    api = FakeApi(sources=[{"lines": [_line("@x", "channel", title="A channel", choice=choice)]}])
    assert not add(api, ["@x"], poll_seconds=0)
    assert (
        "A channel has 20,000 videos. All of them take about 67 minutes and 801 units"
        in capsys.readouterr().out
    )


def test_what_of_a_channel_is_wanted_is_sent() -> None:
    api = FakeApi(index=[{"job_id": "j"}], j=[_job("done", 1, indexed=1)])
    assert index(api, "@x", channel={"newest": 3}, poll_seconds=0)
    assert api.calls[0] == ("POST", "/api/index", {"json": {"playlist": "@x", "channel": {"newest": 3}}})
