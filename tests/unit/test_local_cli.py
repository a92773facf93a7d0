"""The command line: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local import api, bootstrap, cli, indexing, searching
from infra.local.api import Api, ApiError
from infra.local.control import Follow
from infra.local.state_dir import StateDir


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("PORT", raising=False)


@pytest.mark.parametrize(
    "command", [["status"], ["token"], ["index", "PLx"], ["search", "words"], ["reindex"]]
)
def test_without_a_run_it_says_how_to_start_one(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(command) == 3
    assert capsys.readouterr().err == "not running: start it with ./emulators.sh up\n"


def test_without_a_run_every_component_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--json"]) == 0
    components = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert components["delivery"] == {"name": "delivery", "state": "stopped", "port": None, "pid": None}
    assert {
        "pubsub",
        "firestore",
        "elasticsearch",
        "youtube",
        "gateway",
        "fetcher",
        "search",
    } <= components.keys()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["search", "bread", "-rye", "--json"], ["bread", "-rye"]),
        (["search", "--user", "ada", "--limit=3", "-rye", "bread"], ["-rye", "bread"]),
        (["search", '"two words"~8', "--user=ada"], ['"two words"~8']),
        (["search", "--json", "--", "--json"], ["--json"]),
    ],
)
def test_words_may_begin_with_a_dash(argv: list[str], words: list[str]) -> None:
    assert cli._parser().parse_args(cli._parsable(argv)).words == words


def test_everything_after_test_is_pytests() -> None:
    assert cli._parsable(["test", "--version", "-k", "x"]) == ["test"]


def test_down_without_a_run_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["down"]) == 0
    assert capsys.readouterr().out == "Nothing was running.\n"


def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PORT", "eighty")
    assert cli.main(["status"]) == 2
    assert capsys.readouterr().err == "PORT: expected a whole number from 1 to 65535, found 'eighty'\n"


def test_an_unknown_log_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "state" / "logs").mkdir(parents=True)
    (tmp_path / "state" / "logs" / "fetcher.log").write_text("one\ntwo\n")
    assert cli.main(["logs", "fetcher"]) == 0
    assert capsys.readouterr().out == "one\ntwo\n"
    assert cli.main(["logs", "fetchr"]) == 2
    assert capsys.readouterr().err == "expected the name of a log (fetcher), found 'fetchr'\n"


def test_a_log_is_followed_over_parts_of_lines_and_new_files(tmp_path: Path) -> None:
    path = tmp_path / "it.log"
    follow = Follow(path)
    assert follow.new_lines() == []
    path.write_text("one\ntw")
    assert follow.new_lines() == ["one"]
    with path.open("a") as file:
        file.write("o\n")
    assert follow.new_lines() == ["two"]
    new = tmp_path / "new"
    new.write_text("three\n")
    new.replace(path)
    assert follow.new_lines() == ["three"]
    assert Follow(path, from_end=True).new_lines() == []


def _segments(text: str) -> list[dict[str, Any]]:
    """``a *match* in a text``."""
    return [{"text": part, "match": bool(number % 2)} for number, part in enumerate(text.split("*")) if part]


ANSWER = {
    "total": 2,
    "took_ms": 7,
    "did_you_mean": None,
    "hits": [
        {
            "title": _segments("Compost Is a Slow *Fire*"),
            "channel": "Almanac",
            "url": "https://y/a",
            "moment_count": 3,
            "moments": [
                {"start": 3725.9, "url": "https://y/a&t=3725s", "snippet": _segments("a *fire*\nthat is wet")}
            ],
        },
        {"title": _segments("Two"), "channel": None, "url": "https://y/b", "moment_count": 0, "moments": []},
    ],
}


def test_hits_are_shown_with_their_moments(capsys: pytest.CaptureFixture[str]) -> None:
    searching.show(ANSWER, color=False)
    assert capsys.readouterr().out == (
        "Compost Is a Slow *Fire*  Almanac\n"
        "  1:02:05  a *fire* that is wet\n"
        "           https://y/a&t=3725s\n"
        "           and 2 more moments\n"
        "Two\n"
        "           https://y/b\n"
        "2 videos in 7 ms\n"
    )
    searching.show(ANSWER, color=True)
    assert "a \033[1mfire\033[0m that is wet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00:00"), (59.99, "0:00:59"), (3600, "1:00:00"), (36061, "10:01:01")]
)
def test_a_moment_is_the_second_in_which_it_lies(seconds: float, shown: str) -> None:
    assert searching.timestamp(seconds) == shown


class FakeApi(Api):
    """Answers by path, the last answer again and again."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self._answers: dict[str, Iterator[dict[str, Any]]] = {}
        self._last: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        for name, given in answers.items():
            self._answers[name] = iter(given)

    def call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        self.asked.append((method, path, options))
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


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_POLL_SECONDS", 0.0)


@pytest.mark.usefixtures("_quick")
def test_indexing_ends_with_what_became_of_the_videos(capsys: pytest.CaptureFixture[str]) -> None:
    done = _job("done", 4, indexed=2, failed=1, no_transcript=1)
    video = {"video_id": "abc", "title": "One", "reason": "It was given up."}
    fake = FakeApi(
        index=[{"job_id": "j"}],
        j=[_job("queued"), _job("running", 4, pending=4), done],
        videos=[{"videos": [video], "cursor": None}],
    )
    assert indexing.index(fake, "PLx")
    assert fake.asked[0] == ("POST", "/api/index", {"json": {"playlist": "PLx"}})
    out = capsys.readouterr().out
    assert "Talks: 4 of 4 videos" in out
    assert (
        "2 indexed, 1 without captions, 0 unavailable, 1 failed; 1 were known already, 2.5 MB from YouTube"
        in out
    )
    assert "1 failed:\n  abc  One: It was given up.\n" in out
    assert [asked[2]["params"]["state"] for asked in fake.asked if asked[1].endswith("videos")] == [
        "failed",
        "no_transcript",
    ]


@pytest.mark.usefixtures("_quick")
def test_a_job_that_fails_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakeApi(index=[{"job_id": "j"}], j=[_job("failed")])
    assert not indexing.index(fake, "PLx")
    assert "The job is failed: The playlist is private." in capsys.readouterr().out


def test_nobody_answering_is_an_error_of_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateDir(tmp_path / "state")
    state.make()
    monkeypatch.setattr(api, "_TIMEOUT", (1, 1))
    with pytest.raises(ApiError, match=r"^http://127.0.0.1:9 does not answer \(ConnectionError\)$"):
        Api("http://127.0.0.1:9", state, "demo").new_token()
    with pytest.raises(ApiError, match="expected a user name"):
        Api("http://127.0.0.1:9", state, "../demo")


def test_requirements_are_new_when_one_they_include_is(tmp_path: Path) -> None:
    (tmp_path / "base.txt").write_text("a==1\n")
    (tmp_path / "dev.txt").write_text("-r base.txt\nb==1\n")
    before = bootstrap.digest_of(tmp_path / "dev.txt")
    assert bootstrap.digest_of(tmp_path / "dev.txt") == before
    (tmp_path / "base.txt").write_text("a==2\n")
    assert bootstrap.digest_of(tmp_path / "dev.txt") != before
