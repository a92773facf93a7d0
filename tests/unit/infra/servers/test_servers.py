"""infra/local/servers: finding Java and Docker, the command lines of servers, the Elasticsearch plugin."""

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


def test_the_plugin_registers_every_analyzer_class() -> None:
    source = (elasticsearch.PROJECT / "src/yts/languages/Languages.java").read_text(encoding="utf-8")
    classes = dict(re.findall(r'@NamedComponent\("(\w+)"\)\s+public static final class (\w+)', source))
    named = json.loads((elasticsearch.PROJECT / "plugin/named_components.json").read_text(encoding="utf-8"))
    analyzers = named["org.elasticsearch.plugin.analysis.AnalyzerFactory"]
    assert analyzers == {name: f"yts.languages.Languages${of}" for name, of in classes.items()}
    assert " ".join(sorted(analyzers)) == LANGUAGES


def test_the_version_of_elasticsearch_comes_from_the_maven_project() -> None:
    assert re.fullmatch(r"8\.\d+\.\d+", elasticsearch.version())


def _java(home: Path, version: str, *programs: str) -> Path:
    (home / "bin").mkdir(parents=True)
    for program in programs:
        (home / "bin" / program).touch(mode=0o755)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return home


@pytest.mark.parametrize(
    ("version", "usable"), [("17.0.15", True), ("25", True), ("11.0.2", False), ("1.8.0_402", False)]
)
def test_java_17_or_newer_is_used(version: str, usable: bool, tmp_path: Path) -> None:
    home = _java(tmp_path / "java", version, "java")
    found = tools.java_home({"JAVA_HOME": str(home), "PATH": os.defpath}, print) if usable else None
    assert (found == home) is usable
    assert (tools._java_version(home) >= tools.JAVA_VERSION) is usable


def test_a_java_with_a_compiler_is_found_if_needed(tmp_path: Path) -> None:
    without = _java(tmp_path / "jre", "17.0.1", "java")
    with_one = _java(tmp_path / "jdk", "17.0.1", "java", "javac")
    environment = {"ES_JAVA_HOME": str(without), "JAVA_HOME": str(with_one), "PATH": ""}
    assert tools.java_home(environment, print) == without
    assert tools.java_home(environment, print, compiler=True) == with_one


def test_a_missing_program_that_cannot_be_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without apt-get on PATH nothing can be installed.
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match=r"^Maven was not found\. Install it \(.* install maven\)"):
        tools.install("mvn", "Maven", print)


@pytest.mark.parametrize(
    ("platform", "command"),
    [("linux", "sudo apt-get install default-jre-headless"), ("darwin", "brew install openjdk")],
)
def test_the_command_to_install_a_program_depends_on_the_system(platform: str, command: str) -> None:
    assert tools.install_command("java", platform) == command


def _docker(tmp_path: Path, answers: bool) -> dict[str, str]:
    """An environment whose PATH has only a docker. Its daemon answers or not."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n" + ("echo 28.2.2\n" if answers else "echo no daemon >&2; exit 1\n"))
    program.chmod(0o755)
    return {"PATH": str(program.parent)}


def test_a_docker_without_a_daemon_is_not_used(tmp_path: Path) -> None:
    assert tools.docker(_docker(tmp_path, answers=False)) is None
    assert tools.docker({"PATH": ""}) is None


def test_with_docker_the_full_elasticsearch_is_used_and_its_data_are_kept(tmp_path: Path) -> None:
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


def test_with_docker_googles_image_of_the_emulators_is_used(tmp_path: Path) -> None:
    environment = _docker(tmp_path, answers=True)
    state = StateDir(tmp_path / "state")
    pubsub = emulators.pubsub(environment, state, 20001, print)
    assert "google/cloud-sdk:emulators" in pubsub.argv
    assert pubsub.argv[-2:] == ("start", "--host-port=0.0.0.0:20001")
    exported = state.data / "firestore" / "export-1" / "export-1.overall_export_metadata"
    firestore = emulators.firestore(environment, state, 20002, exported, print, memory_mb=1024)
    assert f"--import-data={exported}" in firestore.argv
    assert f"--volume={state.data}:{state.data}" in firestore.argv
