"""Finding servers: the plugin's two lists of languages, Java, Docker, and what a start looks like."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from infra.local.servers import elasticsearch, emulators, tools
from infra.local.servers.tools import Missing
from infra.local.state_dir import StateDir

LANGUAGES = (
    "arabic armenian basque bengali brazilian bulgarian catalan cjk czech danish dutch english estonian"
    " finnish french galician german greek hindi hungarian indonesian irish italian latvian lithuanian"
    " norwegian persian portuguese romanian russian serbian sorani spanish swedish thai turkish"
)


def test_the_plugin_names_every_analyzer_that_it_has() -> None:
    source = (elasticsearch.PROJECT / "src/yts/languages/Languages.java").read_text(encoding="utf-8")
    classes = dict(re.findall(r'@NamedComponent\("(\w+)"\)\s+public static final class (\w+)', source))
    named = json.loads((elasticsearch.PROJECT / "plugin/named_components.json").read_text(encoding="utf-8"))
    analyzers = named["org.elasticsearch.plugin.analysis.AnalyzerFactory"]
    assert analyzers == {name: f"yts.languages.Languages${of}" for name, of in classes.items()}
    assert " ".join(sorted(analyzers)) == LANGUAGES


def test_the_version_is_the_projects() -> None:
    assert re.fullmatch(r"8\.\d+\.\d+", elasticsearch.version())


def _java(home: Path, version: str, *programs: str) -> Path:
    (home / "bin").mkdir(parents=True)
    for program in programs:
        (home / "bin" / program).touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.mark.parametrize(
    ("version", "good"), [("17.0.15", True), ("25", True), ("11.0.2", False), ("1.8.0_402", False)]
)
def test_a_java_is_good_from_17(version: str, good: bool, tmp_path: Path) -> None:
    home = _java(tmp_path / "java", version, "java")
    found = tools.java_home({"JAVA_HOME": str(home), "PATH": os.defpath}, print) if good else None
    assert (found == home) is good
    assert (tools._java_version(home) >= tools.JAVA_VERSION) is good


def test_a_compiler_is_asked_for_where_one_is_needed(tmp_path: Path) -> None:
    without = _java(tmp_path / "jre", "17.0.1", "java")
    with_one = _java(tmp_path / "jdk", "17.0.1", "java", "javac")
    environment = {"ES_JAVA_HOME": str(without), "JAVA_HOME": str(with_one), "PATH": ""}
    assert tools.java_home(environment, print) == without
    assert tools.java_home(environment, print, compiler=True) == with_one


def test_what_cannot_be_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(Missing, match=r"^Maven was not found: install it \(sudo apt-get install maven\)"):
        tools.install("mvn", "Maven", print)
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(Missing, match=r"\(brew install openjdk\)"):
        tools.install("java", "Java", print)


def _docker(tmp_path: Path, answers: bool) -> dict[str, str]:
    """An environment in which only a docker is found, whose daemon answers or not."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + ("echo 28.2.2\n" if answers else "echo no daemon >&2; exit 1\n"))
    program.chmod(0o755)
    return {"PATH": str(program.parent)}


def test_a_docker_without_a_daemon_is_no_docker(tmp_path: Path) -> None:
    assert tools.docker(_docker(tmp_path, answers=False)) is None
    assert tools.docker({"PATH": ""}) is None


def test_with_docker_the_full_server_is_used_and_its_data_kept(tmp_path: Path) -> None:
    environment = _docker(tmp_path, answers=True)
    state = StateDir(tmp_path / "state")
    launch = elasticsearch.elasticsearch(environment, state, 20001, 20002, print)
    program = environment["PATH"] + "/docker"
    assert launch.argv[:3] == (program, "run", "--rm")
    assert launch.argv[-1] == f"elasticsearch:{elasticsearch.version()}"
    assert "--publish=127.0.0.1:20001:20001" in launch.argv
    assert "--env=http.port=20001" in launch.argv
    name = next(each.removeprefix("--name=") for each in launch.argv if each.startswith("--name="))
    assert launch.cleanup == ((program, "rm", "--force", name),)
    again = elasticsearch.elasticsearch(environment, state, 20003, 20004, print)
    volume = [each for each in launch.argv if each.startswith("--volume=")]
    assert volume
    assert volume == [each for each in again.argv if each.startswith("--volume=")]


def test_with_docker_the_emulators_are_googles(tmp_path: Path) -> None:
    environment = _docker(tmp_path, answers=True)
    state = StateDir(tmp_path / "state")
    pubsub = emulators.pubsub(environment, state, 20001, print)
    assert "google/cloud-sdk:emulators" in pubsub.argv
    assert pubsub.argv[-2:] == ("start", "--host-port=0.0.0.0:20001")
    exported = state.data / "firestore" / "export-1" / "export-1.overall_export_metadata"
    firestore = emulators.firestore(environment, state, 20002, exported, print)
    assert f"--import-data={exported}" in firestore.argv
    assert f"--volume={state.data}:{state.data}" in firestore.argv
