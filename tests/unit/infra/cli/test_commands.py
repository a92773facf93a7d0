"""infra/local/cli: the commands that need no run, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.local.cli.__main__ import main, parser, separate
from infra.local.cli.logs import Tail


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A state directory without a run."""
    return {"LOCAL_STATE_DIR": str(tmp_path / "state")}


@pytest.mark.parametrize(
    "command",
    [["status"], ["token"], ["index", "PLx"], ["fetch", "x"], ["search", "words"], ["export"], ["reindex"]],
)
def test_without_a_run_the_message_says_how_to_start_one(
    command: list[str], environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command, environment) == 3
    assert capsys.readouterr().err == "The local run is not up. Start it with ./emulators.sh up\n"


def test_without_a_run_every_component_is_stopped(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--json"], environment) == 0
    components = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert components["delivery"] == {"name": "delivery", "state": "stopped", "port": None, "pid": None}
    servers = {"pubsub", "firestore", "elasticsearch", "youtube"}
    assert servers | {"gateway", "fetcher", "search"} <= components.keys()


def test_without_a_run_down_has_nothing_to_do(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["down"], environment) == 0
    assert capsys.readouterr().out == "Nothing was running.\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["search", "bread", "-rye", "--json"], ["bread", "-rye"]),
        (["search", "--user", "ada", "--limit=3", "-rye", "bread"], ["-rye", "bread"]),
        (["search", '"two words"~8', "--user=ada"], ['"two words"~8']),
        (["search", "--json", "--", "--json"], ["--json"]),
    ],
)
def test_search_words_may_begin_with_a_dash(argv: list[str], words: list[str]) -> None:
    assert parser().parse_args(separate(argv)).words == words


@pytest.mark.parametrize(
    ("argv", "user"),
    [(["fetch", "-dQw4w9WgXc", "--user", "ada"], "ada"), (["fetch", "--", "-dQw4w9WgXc"], "demo")],
)
def test_the_id_of_a_video_may_begin_with_a_dash(argv: list[str], user: str) -> None:
    arguments = parser().parse_args(separate(argv))
    assert (arguments.video, arguments.user) == ("-dQw4w9WgXc", user)


def test_all_arguments_after_test_are_for_pytest() -> None:
    assert separate(["test", "--version", "-k", "x"]) == ["test"]


def test_a_wrong_variable_is_named(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"], environment | {"PORT": "eighty"}) == 2
    assert capsys.readouterr().err == "PORT: expected a whole number from 1 to 65535, found 'eighty'\n"


def test_logs_prints_one_log_or_names_the_known_ones(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "state" / "logs").mkdir(parents=True)
    (tmp_path / "state" / "logs" / "fetcher.log").write_text("one\ntwo\n")
    assert main(["logs", "fetcher"], environment) == 0
    assert capsys.readouterr().out == "one\ntwo\n"
    assert main(["logs", "fetchr"], environment) == 2
    assert capsys.readouterr().err == "expected the name of a log (fetcher), found 'fetchr'\n"


def test_a_log_is_followed_over_incomplete_lines_and_new_files(tmp_path: Path) -> None:
    path = tmp_path / "it.log"
    tail = Tail(path)
    assert tail.new_lines() == []
    path.write_text("one\ntw")
    assert tail.new_lines() == ["one"]
    with path.open("a") as file:
        file.write("o\n")
    assert tail.new_lines() == ["two"]
    new = tmp_path / "new"
    new.write_text("three\n")
    new.replace(path)
    assert tail.new_lines() == ["three"]
    assert Tail(path, from_end=True).new_lines() == []
